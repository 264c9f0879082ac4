// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { Signer } from '#core/ports/keys.ts'

/** Stands for what a request must not be able to make a home say back: a name in every place where one fits. */
export const CANARY = 'Canary-Ann-Smith-7'

/** One small change to a JSON value, at the place that `at` chooses. */
export interface Edit {
  readonly at: number
  readonly kind: 'delete' | 'replace' | 'tweak' | 'repeat' | 'add'
  readonly value: unknown
}

const values = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 2 ** 53, 1e308, '', CANARY, [], {}, [CANARY], {
    [CANARY]: CANARY,
  }),
  fc.constantFrom<unknown>(
    'A'.repeat(22),
    'A'.repeat(43),
    '1970-01-01T00:00:00.000Z',
    'genesis',
    '__proto__',
  ),
  fc.jsonValue({ maxDepth: 3 }),
)

export const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    at: fc.nat(),
    kind: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Edit['kind']>('tweak') },
      { weight: 2, arbitrary: fc.constantFrom<Edit['kind']>('delete', 'replace', 'repeat', 'add') },
    ),
    value: values,
  }),
  { minLength: 1, maxLength: 2 },
)

/** A copy of a JSON value with the edits applied in order. */
export function edit(value: unknown, list: readonly Edit[]): unknown {
  const holder: { root: unknown } = { root: structuredClone(value) }
  for (const one of list) {
    const places = placesIn(holder)
    const place = places[one.at % places.length]
    if (place) applyEdit(place, { ...one, value: structuredClone(one.value) })
  }
  return holder.root
}

interface Place {
  readonly parent: Record<string, unknown>
  readonly key: string
}

/** Every member and element below a value, its own ones included. */
function placesIn(parent: object): Place[] {
  return Object.entries(parent).flatMap(([key, child]) => [
    { parent: parent as Record<string, unknown>, key },
    ...(typeof child === 'object' && child !== null ? placesIn(child as object) : []),
  ])
}

function applyEdit({ parent, key }: Place, { kind, value }: Edit): void {
  const before = parent[key]
  if (kind === 'delete' && key !== 'root') delete parent[key]
  else if (kind === 'tweak') parent[key] = tweak(before, value)
  else if (kind === 'repeat' && Array.isArray(before)) before.push(...(before as unknown[]))
  else if (kind === 'add' && typeof before === 'object' && before !== null && !Array.isArray(before))
    (before as Record<string, unknown>)[CANARY] = value
  else parent[key] = value
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** A value of the same kind that is a little different. */
function tweak(before: unknown, salt: unknown): unknown {
  const pick = JSON.stringify(salt)?.length ?? 0
  if (typeof before === 'number') return [before + 1, before - 1, 0, Number.MAX_SAFE_INTEGER][pick % 4]
  if (typeof before === 'boolean') return !before
  if (typeof before !== 'string' || before === '') return salt
  if (TIMESTAMP.test(before)) return new Date(Date.parse(before) + pick * 60_000).toISOString()
  const at = pick % before.length
  return `${before.slice(0, at)}${before[at] === 'A' ? 'B' : 'A'}${before.slice(at + 1)}`
}

/** Bytes with some of them flipped, cut off or added. */
export const scars = fc.record({
  flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
  keep: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  more: fc.uint8Array({ maxLength: 8 }),
})
export type Scars = typeof scars extends fc.Arbitrary<infer T> ? T : never

export function scar(bytes: Uint8Array, { flips, keep, more }: Scars): Uint8Array<ArrayBuffer> {
  const kept = bytes.slice(0, keep === null ? bytes.length : Math.floor(bytes.length * keep))
  for (const [at, mask] of flips)
    if (kept.length > 0) kept[at % kept.length] = (kept[at % kept.length] ?? 0) ^ mask
  return new Uint8Array([...kept, ...more])
}

/** A compact JWS over any JSON, also such as our own signing refuses. */
export async function forge(typ: string, payload: unknown, signer: Signer): Promise<string> {
  const header = canonicalize({ alg: signer.alg, kid: signer.kid, typ })
  const input = `${toBase64url(utf8(header))}.${toBase64url(utf8(textOf(payload)))}`
  return `${input}.${toBase64url(await signer.sign(utf8(input)))}`
}

/** Canonical where the value has such a form. */
export function textOf(value: unknown): string {
  try {
    return canonicalize(value)
  } catch {
    return JSON.stringify(value) ?? ''
  }
}
