/**
 * A watch event as protobuf: its length in four bytes, then meta.v1.WatchEvent, whose object is in an envelope of its own.
 * Source: k8s.io/apimachinery: meta/v1 generated.proto (WatchEvent, RawExtension); length-delimited framing of streams.
 */
import { encodeProtobuf, type KubeObject } from '../../api/index.ts';

export function watchFrame(type: string, object: KubeObject): Buffer {
  const { apiVersion = '', kind = '' } = object;
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const raw = encodeProtobuf(object, { group, version: apiVersion.slice(slash + 1), kind });
  const extension = field(1, Buffer.from(raw));
  const event = Buffer.concat([field(1, Buffer.from(type)), field(2, extension)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}

/** A length-delimited field. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
