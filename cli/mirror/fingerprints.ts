// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '#core/bytes/canonical-json.ts'
import { toHex, utf8 } from '#core/bytes/encoding.ts'
import { sha256 } from '#core/crypto/hash.ts'
import type { ApplicantRecord } from '#core/registry/records.ts'
import { usage } from '../program/refuse.ts'
import type { Screen } from '../terminal/screen.ts'

/** How a fingerprint is confirmed. */
export interface ConfirmOptions {
  /** As the operator said it. */
  readonly confirm?: string
  readonly yes?: boolean
}

/** 128 bits of the SHA-256 of what a home is pinned by: its registry, and the keys of its log in the order of their text. */
export function homeFingerprint(registry: string, logKeys: readonly string[]): string {
  return grouped(
    utf8([registry, ...logKeys.toSorted((a, b) => (a < b ? -1 : 1))].map((line) => `${line}\n`).join('')),
  )
}

/** 128 bits of the SHA-256 of the keys of an institution, with its id. */
export function institutionFingerprint({ id, root, recovery, sealing }: ApplicantRecord): string {
  return grouped(canonicalBytes({ id, root, recovery, sealing }))
}

/**
 * Goes on only when somebody says that a fingerprint is the right one, as `confirmKeys` does.
 * @throws CommanderError (usage) for another one, and when there is nobody to ask
 */
export async function confirmFingerprint(
  screen: Screen,
  { confirm, yes }: ConfirmOptions,
  what: string,
  fingerprint: string,
): Promise<void> {
  screen.say(what)
  screen.say(`  Fingerprint  ${fingerprint}`)
  if (confirm !== undefined) {
    if (squeezed(confirm) === squeezed(fingerprint)) return
    throw usage(`--confirm names another fingerprint than ${fingerprint}; nothing was changed`)
  }
  if (yes === true) return
  await screen.ask({
    message: 'Is that what its operator says (npx ampere mirror status, there)? Type yes',
    flag: '--yes',
    check: (typed) => (typed.trim() === 'yes' ? undefined : 'yes goes on, Ctrl+C stops.'),
  })
}

function grouped(bytes: Uint8Array): string {
  return (toHex(sha256(bytes).subarray(0, 16)).match(/.{4}/g) ?? []).join(' ')
}

function squeezed(text: string): string {
  return text.replaceAll(/[\s:-]/g, '').toLowerCase()
}
