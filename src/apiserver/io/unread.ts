/** Answers to what could not be read as a request at all: written to the bare socket, as Status objects all the same. */

interface Refusal {
  readonly code: number;
  readonly phrase: string;
  readonly reason: string;
  readonly message: string;
}

const tooLarge: Refusal = {
  code: 431,
  phrase: 'Request Header Fields Too Large',
  reason: 'RequestHeaderFieldsTooLarge',
  message: 'the URL and headers of the request are longer than 65536 bytes',
};
const tooSlow: Refusal = {
  code: 408,
  phrase: 'Request Timeout',
  reason: 'Timeout',
  message: 'the request did not arrive in time',
};
const garbled: Refusal = {
  code: 400,
  phrase: 'Bad Request',
  reason: 'BadRequest',
  message: 'the request is not HTTP/1.1',
};

/** `code`: of Node's error. */
export function refusalOfUnread(code: string | undefined): string {
  const {
    code: status,
    phrase,
    reason,
    message,
  } = code === 'HPE_HEADER_OVERFLOW' ? tooLarge : code === 'ERR_HTTP_REQUEST_TIMEOUT' ? tooSlow : garbled;
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code: status,
  });
  return `HTTP/1.1 ${status} ${phrase}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
