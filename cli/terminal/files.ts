// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs'
import { refuse } from '../program/refuse.ts'
import { size } from './words.ts'

/**
 * Reads a file that a person named. What the file system says is told by `fail` in our words.
 * @throws AmpereError REQUEST_MALFORMED (empty unless it may be, a folder), TOO_LARGE
 */
export function readInput(
  file: string,
  maxBytes: number,
  split: string,
  { mayBeEmpty = false }: { readonly mayBeEmpty?: boolean } = {},
): Uint8Array {
  const found = statSync(file)
  if (found.isDirectory()) throw refuse('REQUEST_MALFORMED', `${file} is a folder, and a file is expected`)
  const { size: bytes } = found
  if (bytes > maxBytes)
    throw refuse('TOO_LARGE', `${file} has ${size(bytes)}; at most ${size(maxBytes)} are read at once`, split)
  const content = readFileSync(file)
  if (content.length === 0 && !mayBeEmpty) throw refuse('REQUEST_MALFORMED', `${file} is empty`)
  return content
}
