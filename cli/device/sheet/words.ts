// SPDX-License-Identifier: Apache-2.0
import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { fromBase64url, toBase64url } from '#core/bytes/encoding.ts'
import { parseWith } from '#core/bytes/schema.ts'
import { invitationSchema, type Invitation } from '#core/client/devices/claim.ts'
import { SHEET_SEED_BYTES } from '#core/client/devices/keys.ts'
import { isAmpereError, type AmpereError } from '#core/errors.ts'
import { refuse } from '../../program/refuse.ts'
import { readInput } from '../../terminal/files.ts'
import type { Screen } from '../../terminal/screen.ts'

/** 32 bytes and 8 bits of SHA-256 of them, in words of 11 bits (BIP-39). */
const WORDS = 24
const SCHEME = 'ampere-sheet:'
const MAX_BYTES = 64 * 1024

/** The seed of a sheet, and where its record is if its code said so. */
export interface SheetSecret {
  readonly seed: Uint8Array
  readonly invitation: Invitation | null
}

/** The words of a seed. */
export function wordsOf(seed: Uint8Array): string[] {
  return entropyToMnemonic(seed, wordlist).split(' ')
}

/** The text in the QR code of a sheet: its seed and where the record is. */
export function codeOf(seed: Uint8Array, { registry, origin, chain }: Omit<Invitation, 'policy'>): string {
  const members = { v: '1', o: origin, r: registry, c: chain, s: toBase64url(seed) }
  return `${SCHEME}?${new URLSearchParams(members).toString()}`
}

/**
 * The secret of a sheet, from its words or from the text of its QR code.
 * @throws AmpereError KEY_MALFORMED: the number of words, which one is none, or the checksum; never the words
 */
export function parseSheet(text: string): SheetSecret {
  const trimmed = text.trim()
  return trimmed.startsWith(SCHEME) ? parseCode(trimmed) : { seed: seedOf(trimmed), invitation: null }
}

/** From --sheet FILE, else typed, unseen. @throws AmpereError KEY_MALFORMED */
export async function askSheet(screen: Screen, file: string | undefined): Promise<SheetSecret> {
  if (file !== undefined)
    return parseSheet(new TextDecoder().decode(readInput(file, MAX_BYTES, 'a sheet has 24 words')))
  const typed = await screen.ask({
    message: `The ${WORDS} words of the sheet`,
    flag: '--sheet FILE',
    secret: true,
    check: (answer) => problemOf(answer),
  })
  return parseSheet(typed)
}

function problemOf(text: string): string | undefined {
  try {
    parseSheet(text)
    return undefined
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return error.message
  }
}

function seedOf(text: string): Uint8Array {
  const words = text
    .toLowerCase()
    .split(/[\s,.\d]+/)
    .filter((word) => word !== '')
  if (words.length !== WORDS) throw malformed(`a sheet has ${WORDS} words, and here are ${words.length}`)
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  if (unknown >= 0) throw malformed(`word ${unknown + 1} is not one of those that a sheet can have`)
  try {
    return mnemonicToEntropy(words.join(' '), wordlist)
  } catch {
    throw malformed(
      'the words do not belong together: one is another than on the sheet, or two changed places',
    )
  }
}

function parseCode(text: string): SheetSecret {
  const said = new URLSearchParams(text.slice(SCHEME.length + 1))
  const seed = fromSeed(said.get('s') ?? '')
  const place = {
    v: 1,
    type: 'ampere-invitation',
    registry: said.get('r'),
    origin: said.get('o'),
    chain: said.get('c'),
    policy: null,
  }
  if (said.get('v') !== '1') throw malformed('the code of the sheet is of another version')
  return { seed, invitation: parseWith(invitationSchema, place, 'KEY_MALFORMED', 'code of the sheet') }
}

function fromSeed(text: string): Uint8Array {
  try {
    const seed = fromBase64url(text)
    if (seed.length === SHEET_SEED_BYTES) return seed
  } catch (error) {
    if (!isAmpereError(error)) throw error
  }
  throw malformed('the code of the sheet is damaged')
}

function malformed(message: string): AmpereError {
  return refuse('KEY_MALFORMED', message, 'compare with the sheet, word by word')
}
