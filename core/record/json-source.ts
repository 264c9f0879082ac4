// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'

/** Depth of nesting that is read; FHIR needs far less. */
export const MAX_DEPTH = 64

/** A JSON value with the place of its text: [start, end) in UTF-16 code units of the source. */
export interface JsonNode {
  readonly start: number
  readonly end: number
  /** Members of an object in order, or null. */
  readonly members: ReadonlyMap<string, JsonNode> | null
  /** Items of an array in order, or null. */
  readonly items: readonly JsonNode[] | null
}

/**
 * Finds where each value of a JSON text lies (RFC 8259), so that a part can be kept exactly as it was sent:
 * JSON.parse would lose decimals like 1.00. Stricter than JSON.parse in that duplicate keys, nesting deeper
 * than 64 and integers beyond 2^53-1 are refused, because their meaning would depend on the reader.
 * @throws AmpereError JSON_MALFORMED with line and column
 */
export function locateJson(text: string): JsonNode {
  const scanner: Scanner = { text, at: 0 }
  skipSpace(scanner)
  const node = readValue(scanner, 0)
  skipSpace(scanner)
  if (scanner.at !== text.length) throw malformed(scanner, 'text after the value')
  return node
}

interface Scanner {
  readonly text: string
  at: number
}

function readValue(scanner: Scanner, depth: number): JsonNode {
  if (depth > MAX_DEPTH) throw malformed(scanner, `nesting deeper than ${MAX_DEPTH}`)
  const start = scanner.at
  switch (scanner.text.charAt(start)) {
    case '{':
      return readObject(scanner, depth)
    case '[':
      return readArray(scanner, depth)
    case '"':
      readString(scanner)
      break
    default:
      readLiteral(scanner)
  }
  return { start, end: scanner.at, members: null, items: null }
}

function readObject(scanner: Scanner, depth: number): JsonNode {
  const start = scanner.at++
  const members = new Map<string, JsonNode>()
  skipSpace(scanner)
  if (scanner.text[scanner.at] === '}') scanner.at++
  else {
    for (;;) {
      skipSpace(scanner)
      const key = readString(scanner)
      if (members.has(key)) throw malformed(scanner, 'a key occurs twice in an object')
      skipSpace(scanner)
      expect(scanner, ':')
      skipSpace(scanner)
      members.set(key, readValue(scanner, depth + 1))
      skipSpace(scanner)
      if (scanner.text[scanner.at] === ',') scanner.at++
      else break
    }
    expect(scanner, '}')
  }
  return { start, end: scanner.at, members, items: null }
}

function readArray(scanner: Scanner, depth: number): JsonNode {
  const start = scanner.at++
  const items: JsonNode[] = []
  skipSpace(scanner)
  if (scanner.text[scanner.at] === ']') scanner.at++
  else {
    for (;;) {
      skipSpace(scanner)
      items.push(readValue(scanner, depth + 1))
      skipSpace(scanner)
      if (scanner.text[scanner.at] === ',') scanner.at++
      else break
    }
    expect(scanner, ']')
  }
  return { start, end: scanner.at, members: null, items }
}

function readString(scanner: Scanner): string {
  const { text } = scanner
  const start = scanner.at
  if (text[start] !== '"') throw malformed(scanner, 'a string is expected')
  let at = start + 1
  for (;;) {
    const code = text.charCodeAt(at)
    if (code === 0x22) break
    if (code === 0x5c) at++
    else if (Number.isNaN(code) || code < 0x20) {
      scanner.at = Math.min(at, text.length)
      throw malformed(
        scanner,
        Number.isNaN(code) ? 'the text ends inside a string' : 'a control character in a string',
      )
    }
    at++
  }
  scanner.at = at + 1
  try {
    return JSON.parse(text.slice(start, scanner.at)) as string
  } catch {
    throw malformed(scanner, 'an escape that does not exist')
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y

function readLiteral(scanner: Scanner): void {
  for (const word of ['true', 'false', 'null']) {
    if (scanner.text.startsWith(word, scanner.at)) {
      scanner.at += word.length
      return
    }
  }
  NUMBER.lastIndex = scanner.at
  const match = NUMBER.exec(scanner.text)
  if (!match)
    throw malformed(scanner, scanner.at >= scanner.text.length ? 'the text ends too early' : 'no JSON value')
  if (match[1] === undefined && match[2] === undefined && !Number.isSafeInteger(Number(match[0]))) {
    throw malformed(scanner, 'an integer beyond 2^53-1')
  }
  scanner.at += match[0].length
}

function skipSpace(scanner: Scanner): void {
  for (;;) {
    const code = scanner.text.charCodeAt(scanner.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    scanner.at++
  }
}

function expect(scanner: Scanner, character: string): void {
  if (scanner.text[scanner.at] !== character) {
    throw malformed(
      scanner,
      scanner.at >= scanner.text.length ? 'the text ends too early' : `${character} is expected`,
    )
  }
  scanner.at++
}

function malformed(scanner: Scanner, what: string): AmpereError {
  const before = scanner.text.slice(0, scanner.at)
  const line = before.split('\n').length
  const column = scanner.at - before.lastIndexOf('\n')
  return new AmpereError('JSON_MALFORMED', `not JSON at line ${line}, column ${column}: ${what}`)
}
