// SPDX-License-Identifier: Apache-2.0

const COMMA = 0x2c
const BRACKET = 0x5b
const BRACE = 0x7b

/**
 * How many values a JSON text has at most, seen before it is parsed: a parser makes an object of dozens of bytes of
 * every three. Commas within strings count too, so the true number may be smaller.
 */
export function mostJsonValues(text: Uint8Array): number {
  let count = 1
  for (const byte of text) if (byte === COMMA || byte === BRACKET || byte === BRACE) count++
  return count
}
