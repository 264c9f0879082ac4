// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'

type Lines = readonly string[]
type Member = 'registryBlock' | 'block' | 'row' | 'object' | 'head'

/** With another character in its first key row. */
export const damaged = edited((lines) => flip(lines, 'row', 0, 0.5))
/** With another character in the signature of its last block. */
export const signatureBroken = edited((lines) => flip(lines, 'block', -1, 0.97))

/** What can be done to an export: a sentence, and the bytes that it leaves. */
export const TAMPERINGS: readonly (readonly [what: string, tamper: (bytes: Uint8Array) => Uint8Array])[] = [
  ['one character of a block is another', edited((lines) => flip(lines, 'block', 3, 0.5))],
  ["one character of a block's signature is another", signatureBroken],
  ['one character of the registry is another', edited((lines) => flip(lines, 'registryBlock', 0, 0.5))],
  ['one character of a key row is another', damaged],
  ['one character of a sealed entry is another', edited((lines) => flip(lines, 'object', 0, 0.9))],
  [
    'one character of the list of sealed entries is another',
    edited((lines) => flip(lines, 'object', 1, 0.02)),
  ],
  ['one character of the head statement is another', edited((lines) => flip(lines, 'head', 0, 0.5))],
  ['a character is one that base64url does not have', edited((lines) => flip(lines, 'object', 0, 0.5, '*'))],
  ['a key row is left out', edited((lines) => without(lines, 'row', 0))],
  ['a sealed object is left out', edited((lines) => without(lines, 'object', 1))],
  [
    'every row and object is left out',
    edited((lines) => lines.filter((line) => !/"(row|object)":"/.test(line))),
  ],
  ['a block is left out', edited((lines) => without(lines, 'block', 2))],
  ['the last block is left out', edited((lines) => without(lines, 'block', -1))],
  ['two blocks have changed places', edited((lines) => swapped(lines, 'block', 2, 3))],
  ['the registry is left out', edited((lines) => without(lines, 'registryBlock', 0))],
  ['there is no head statement', edited((lines) => without(lines, 'head', 0))],
  ['another home is named', edited((lines) => replaced(lines, 0, 'http://home.test', 'http://<b>.test'))],
  ['another record is named', edited((lines) => replaced(lines, 0, '"chain":"', '"chain":"A', 1))],
  ['it has a line of another kind', edited((lines) => [...lines, '{"comment":"<img src=x>"}'])],
  ['it ends inside a line', (bytes) => bytes.subarray(0, Math.floor(bytes.length * 0.7))],
  ['it ends after its first line', (bytes) => bytes.subarray(0, bytes.indexOf(0x0a) + 1)],
  ['it is empty', () => new Uint8Array(0)],
  ['it is another text', () => utf8('<html><script>alert(1)</script></html>\n')],
  ['it is no text', () => Uint8Array.from([0x25, 0x50, 0x44, 0x46, 0xff, 0xfe, 0x00])],
]

function edited(edit: (lines: Lines) => Lines): (bytes: Uint8Array) => Uint8Array {
  return (bytes) =>
    utf8(
      edit(fromUtf8(bytes).split('\n').slice(0, -1))
        .map((line) => `${line}\n`)
        .join(''),
    )
}

/** The line number of the `index`-th part of a kind; -1 is the last. */
function placeOf(lines: Lines, member: Member, index: number): number {
  const places = [...lines.keys()].filter((at) => at > 0 && lines[at]?.includes(`"${member}":"`))
  const place = places.at(index)
  if (place === undefined) throw new RangeError(`the export has no ${member} ${index}`)
  return place
}

/** Changes one character of a part's value, at a share of its length. */
function flip(lines: Lines, member: Member, index: number, share: number, to?: string): Lines {
  const place = placeOf(lines, member, index)
  return lines.map((line, at) => {
    if (at !== place) return line
    const part = JSON.parse(line) as Record<Member, string>
    const value = part[member]
    const middle = Math.floor(value.length * share)
    const other = to ?? (value[middle] === 'A' ? 'B' : 'A')
    return JSON.stringify({
      ...part,
      [member]: `${value.slice(0, middle)}${other}${value.slice(middle + 1)}`,
    })
  })
}

function without(lines: Lines, member: Member, index: number): Lines {
  return lines.toSpliced(placeOf(lines, member, index), 1)
}

function swapped(lines: Lines, member: Member, first: number, second: number): Lines {
  const [one, other] = [placeOf(lines, member, first), placeOf(lines, member, second)]
  return lines.with(one, lines[other] ?? '').with(other, lines[one] ?? '')
}

/** Replaces text in one line, dropping `dropped` characters after it. */
function replaced(lines: Lines, at: number, text: string, by: string, dropped = 0): Lines {
  const line = lines[at] ?? ''
  const start = line.indexOf(text)
  return lines.with(at, line.slice(0, start) + by + line.slice(start + text.length + dropped))
}
