// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { fromHex } from '#core/bytes/encoding.ts'

/** One case of a Wycheproof file; the members beside these depend on the file. */
export interface WycheproofTest {
  readonly tcId: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly flags: readonly string[]
  readonly [name: string]: unknown
}
/** Cases that share a key or a size. */
export interface WycheproofGroup {
  readonly tests: readonly WycheproofTest[]
  readonly [name: string]: unknown
}

/** The groups of `wycheproof/{name}_test.json`. */
export function wycheproof(name: string): readonly WycheproofGroup[] {
  const text = readFileSync(new URL(`wycheproof/${name}_test.json`, import.meta.url), 'utf8')
  return (JSON.parse(text) as { testGroups: WycheproofGroup[] }).testGroups
}

/** A member in hexadecimal, as bytes. */
export const hex = (value: unknown) => fromHex(String(value))
