/**
 * Replies of other servers: how long they may be kept, how old they are made out to be, what addresses they hold. Pure, for hostile bytes.
 *
 * Source: RFC 1035, RFC 2181 §8 (TTLs), RFC 2308 §5 (how long "no" may be kept).
 */
import { codes, type DnsRecord, readName, types, Unreadable } from './dns-message.ts';

export interface Reply {
  readonly code: number;
  readonly isTruncated: boolean;
  /** How long it may be kept: its smallest TTL; undefined: not at all. */
  readonly cacheSeconds: number | undefined;
  /** Where its TTLs stand. */
  readonly ttlOffsets: readonly number[];
  /** Answers of the kinds that an alias is followed for; others are left out. */
  readonly answers: readonly DnsRecord[];
}

/** undefined: cannot be read. */
export function readReply(bytes: Buffer): Reply | undefined {
  try {
    return read(bytes);
  } catch (error) {
    if (error instanceof Unreadable || error instanceof RangeError) return undefined;
    throw error;
  }
}

function read(bytes: Buffer): Reply {
  const flags = bytes.readUInt16BE(2);
  const code = flags & 15;
  const isTruncated = (flags & 0x0200) !== 0;
  let at = 12;
  for (let question = bytes.readUInt16BE(4); question > 0; question--) at = readName(bytes, at).next + 4;
  const answerCount = bytes.readUInt16BE(6);
  const authorityEnd = answerCount + bytes.readUInt16BE(8);
  const recordCount = authorityEnd + bytes.readUInt16BE(10);
  const answers: DnsRecord[] = [];
  const ttlOffsets: number[] = [];
  let seconds: number | undefined;
  let hasStart = false;
  for (let record = 0; record < recordCount; record++) {
    const owner = readName(bytes, at);
    const type = bytes.readUInt16BE(owner.next);
    const ttlAt = owner.next + 4;
    const start = owner.next + 10;
    // The highest bit set means 0.
    const written = bytes.readUInt32BE(ttlAt);
    const ttlSeconds = written > 0x7fffffff ? 0 : written;
    const length = bytes.readUInt16BE(start - 2);
    at = start + length;
    if (at > bytes.length) throw new Unreadable('record is cut off');
    if (type === types.OPT) continue;
    ttlOffsets.push(ttlAt);
    if (record >= authorityEnd) continue;
    seconds = Math.min(seconds ?? ttlSeconds, ttlSeconds);
    if (record < answerCount)
      answers.push(...addressOrAlias(bytes, owner.name, type, ttlSeconds, start, length));
    else if (type === types.SOA && length >= 20) {
      hasStart = true;
      seconds = Math.min(seconds, bytes.readUInt32BE(at - 4));
    }
  }
  const isKept = !isTruncated && (code === codes.noError || code === codes.nameError);
  // A "no" without a SOA must not be kept.
  const isNo = code === codes.nameError || answerCount === 0;
  return {
    code,
    isTruncated,
    cacheSeconds: isKept && (!isNo || hasStart) ? seconds : undefined,
    ttlOffsets,
    answers,
  };
}

function addressOrAlias(
  bytes: Buffer,
  name: string,
  type: number,
  ttlSeconds: number,
  start: number,
  length: number,
): DnsRecord[] {
  if (type === types.A && length === 4)
    return [{ kind: 'A', name, ttlSeconds, address: bytes.subarray(start, start + 4).join('.') }];
  if (type === types.AAAA && length === 16) {
    const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(start + at * 2).toString(16));
    return [{ kind: 'AAAA', name, ttlSeconds, address: groups.join(':') }];
  }
  if (type === types.CNAME) return [{ kind: 'CNAME', name, ttlSeconds, target: readName(bytes, start).name }];
  return [];
}

/** A copy whose TTLs are `ageSeconds` less. */
export function aged(bytes: Buffer, ttlOffsets: readonly number[], ageSeconds: number): Buffer {
  const copy = Buffer.from(bytes);
  for (const at of ttlOffsets) {
    const ttlSeconds = copy.readUInt32BE(at);
    copy.writeUInt32BE(ttlSeconds > 0x7fffffff ? 0 : Math.max(0, ttlSeconds - ageSeconds), at);
  }
  return copy;
}
