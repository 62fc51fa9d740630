import { crc32 } from 'node:zlib';

/**
 * One message of Amazon's event stream encoding, as Bedrock streams a model's events: lengths, a checksum of them, the
 * headers, the payload, a checksum of it all.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
 */
export function eventStreamMessage(event: object): Buffer {
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64');
  const headers = Buffer.concat([
    header(':event-type', 'chunk'),
    header(':content-type', 'application/json'),
    header(':message-type', 'event'),
  ]);
  const payload = Buffer.from(JSON.stringify({ bytes }));
  const lengths = Buffer.concat([number(16 + headers.length + payload.length), number(headers.length)]);
  const begun = Buffer.concat([lengths, number(crc32(lengths)), headers, payload]);
  return Buffer.concat([begun, number(crc32(begun))]);
}

const STRING = 7;

function header(name: string, value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([
    Buffer.of(name.length),
    Buffer.from(name),
    Buffer.of(STRING),
    length,
    Buffer.from(value),
  ]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
