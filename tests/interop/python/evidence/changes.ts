// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '#core/bytes/canonical-json.ts'

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** A file with something changed, and what. */
export interface Changed {
  readonly what: string
  readonly bytes: Uint8Array
}

/** What may stand in the place of any value. */
const OTHERS: readonly Json[] = [null, 0, []]
/** Of longer arrays only the items at both ends are changed. */
const ENDS = 2

/** A file with each value replaced, left out, said twice, or changed in its own way. */
export function changesOf(bytes: Uint8Array): readonly Changed[] {
  const file = parsed(bytes)
  return pathsOf(file).flatMap((path) => {
    const value = at(file, path)
    const others = [...OTHERS.map((other) => [said(other), other] as const), ...variantsOf(value)]
    const replaced = others.map(([what, other]) => ({
      what: `${path.join('.')}: ${what}`,
      bytes: canonicalBytes(put(file, path, other)),
    }))
    return [...replaced, ...without(file, path)]
  })
}

/** A file with each text as long as its form allows in characters, or longer. */
export function longTextsOf(bytes: Uint8Array): readonly Changed[] {
  const file = parsed(bytes)
  return pathsOf(file).flatMap((path) => {
    const value = at(file, path)
    if (typeof value !== 'string') return []
    return [256, 4097, 131_072, 131_073, 262_145].map((characters) => ({
      what: `${path.join('.')}: of ${characters} characters`,
      bytes: canonicalBytes(put(file, path, value.slice(0, characters).padEnd(characters, '\u00e4'))),
    }))
  })
}

/** A file with each value replaced by the value that another file has in that place, or beside it. */
export function swapsOf(
  bytes: Uint8Array,
  others: readonly (readonly [name: string, bytes: Uint8Array])[],
): readonly Changed[] {
  const file = parsed(bytes)
  const paths = pathsOf(file)
  return paths.flatMap((path) => {
    const own = paths
      .filter(
        (other) =>
          other !== path && isBeside(path, other) && typeof at(file, other) === typeof at(file, path),
      )
      .map((other) => [other.join('.'), at(file, other)] as const)
    const theirs = others.flatMap(([name, data]) => {
      const value = found(parsed(data), path)
      return value === undefined ? [] : [[`as in ${name}`, value] as const]
    })
    return [...own, ...theirs].map(([what, other]) => ({
      what: `${path.join('.')} <- ${what}`,
      bytes: canonicalBytes(put(file, path, other)),
    }))
  })
}

/** A file with one byte of it changed, at places over all of it. */
export function flipsOf(bytes: Uint8Array, places: number): readonly Changed[] {
  return Array.from({ length: places }, (_, i) => {
    const flipped = new Uint8Array(bytes)
    const place = Math.floor((i * bytes.length) / places)
    flipped[place] = (flipped[place] ?? 0) ^ (1 << (i % 8))
    return { what: `bit ${i % 8} of byte ${place}`, bytes: flipped }
  })
}

function variantsOf(value: Json): readonly (readonly [what: string, other: Json])[] {
  if (typeof value === 'number') return [-1, 1].map((step) => [`${step}`, Math.max(0, value + step)])
  if (typeof value === 'string') return textsLike(value)
  if (!Array.isArray(value)) return []
  const [first = null, ...rest] = value
  return [
    ['without its first', rest],
    ['without its last', value.slice(0, -1)],
    ['backwards', value.toReversed()],
    ['its first twice', [first, ...value]],
    ['its first last too', [...value, first]],
    ['its first alone', value.map(() => first)],
    ['one of many', Array.from({ length: 70 }, () => first)],
  ]
}

/** A text with each line left out, said twice or spoilt; each part between dots spoilt. */
function textsLike(text: string): readonly (readonly [what: string, other: string])[] {
  const lines = text.split('\n')
  const parts = lines.length > 1 ? [] : text.split('.')
  return [
    ...lines.flatMap((line, i): [string, string][] => [
      [`without line ${i}`, lines.toSpliced(i, 1).join('\n')],
      [`line ${i} spoilt`, lines.with(i, spoilt(line)).join('\n')],
    ]),
    ...parts.map((part, i): [string, string] => [`part ${i} spoilt`, parts.with(i, spoilt(part)).join('.')]),
    ['its last line twice', `${text.trimEnd()}\n${lines.at(-2) ?? ''}\n`],
    ['in capitals', text.toUpperCase()],
    ['with an extension', text.replace('\n\n\u2014', '\nmore\n\n\u2014')],
  ]
}

/** Changes a character in the middle, which is neither a separator nor one of slack bits. */
function spoilt(text: string): string {
  const middle = text.length >> 1
  return `${text.slice(0, middle)}${text[middle] === 'A' ? 'B' : 'A'}${text.slice(middle + 1)}`
}

function pathsOf(value: Json, path: readonly string[] = []): readonly (readonly string[])[] {
  if (value === null || typeof value !== 'object') return [path]
  const names = Object.keys(value)
  const seen = Array.isArray(value) ? names.filter((_, i) => i < ENDS || i >= names.length - 1) : names
  const below = seen.flatMap((name) =>
    pathsOf((value as Record<string, Json>)[name] ?? null, [...path, name]),
  )
  return path.length === 0 ? below : [path, ...below]
}

function found(value: Json, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (of, name) => (of === null || typeof of !== 'object' ? undefined : (of as Record<string, Json>)[name]),
    value,
  )
}

const isBeside = (path: readonly string[], other: readonly string[]): boolean =>
  path.slice(0, -1).join('.') === other.slice(0, -1).join('.')

const at = (file: Json, path: readonly string[]): Json => found(file, path) ?? null

function put(file: Json, path: readonly string[], value: Json): Json {
  const [name, ...rest] = path
  if (name === undefined) return value
  const of = (Array.isArray(file) ? [...file] : { ...(file as object) }) as Record<string, Json>
  of[name] = put(of[name] ?? null, rest, value)
  return of
}

/** The file without a member; items of arrays are left out by what is done to the array. */
function without(file: Json, path: readonly string[]): readonly Changed[] {
  const parent = at(file, path.slice(0, -1))
  const holder = path.length === 1 ? file : parent
  if (holder === null || typeof holder !== 'object' || Array.isArray(holder)) return []
  const rest = Object.fromEntries(Object.entries(holder).filter(([name]) => name !== path.at(-1)))
  return [{ what: `${path.join('.')}: absent`, bytes: canonicalBytes(put(file, path.slice(0, -1), rest)) }]
}

const said = (value: Json): string => JSON.stringify(value)
const parsed = (bytes: Uint8Array): Json => JSON.parse(new TextDecoder().decode(bytes)) as Json
