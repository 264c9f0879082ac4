// SPDX-License-Identifier: Apache-2.0
import type { LogKey } from '#core/log/note/key.ts'
import { usage } from '../program/refuse.ts'
import type { Screen } from '../terminal/screen.ts'
import { fingerprintOf, type PublishedKeys } from './published-keys.ts'

/** Flags of commands that take keys of others. */
export interface KeyOptions {
  /** Verifier keys, given one by one. */
  readonly key?: readonly string[]
  /** A file with them. */
  readonly keys?: string
  /** The fingerprint as the operator said it. */
  readonly confirm?: string
  readonly yes?: boolean
}

/**
 * Shows keys that came over the network, and goes on only when somebody says that they are the right ones: by the
 * fingerprint (`--confirm`), by `--yes`, or when asked.
 * @throws CommanderError (usage) for another fingerprint, and when there is nobody to ask
 */
export async function confirmKeys(
  screen: Screen,
  { confirm, yes }: KeyOptions,
  { name, url, keys }: PublishedKeys,
): Promise<void> {
  const fingerprint = fingerprintOf(keys)
  screen.say(`${name}${url === null ? '' : ` at ${url}`}`)
  for (const key of keys) screen.say(`  ${typeWord(key)}, key ID ${key.id.toString(16).padStart(8, '0')}`)
  screen.say(`  Fingerprint  ${fingerprint}`)
  if (confirm !== undefined) return checkConfirmed(confirm, keys)
  if (yes === true) return
  await screen.ask({
    message: 'Is that what its operator says (npx ampere witness status --keys, there)? Type yes',
    flag: '--confirm FINGERPRINT, as its operator says it,',
    check: isYes,
  })
}

/** @throws CommanderError (usage) for another fingerprint than that of the keys: also of keys that are known already */
export function checkConfirmed(confirm: string | undefined, keys: readonly LogKey[]): void {
  const fingerprint = fingerprintOf(keys)
  if (confirm === undefined || squeezed(confirm) === squeezed(fingerprint)) return
  throw usage(`--confirm names another fingerprint than ${fingerprint}; nothing was changed`)
}

/**
 * Says what would happen, and goes on only when somebody agrees: by `--yes`, or when asked.
 * @throws CommanderError (usage) when there is nobody to ask
 */
export async function confirmAct(
  screen: Screen,
  says: readonly string[],
  yes: boolean | undefined,
): Promise<void> {
  for (const line of says) screen.say(line)
  if (yes === true) return
  await screen.ask({ message: 'Type yes to go on', flag: '--yes', check: isYes })
}

const isYes = (typed: string) => (typed.trim() === 'yes' ? undefined : 'yes goes on, Ctrl+C stops.')

/** A key's type in words. */
export function typeWord({ type }: LogKey): string {
  return type === 'cosignature-ML-DSA-44' ? 'ML-DSA-44' : 'Ed25519'
}

function squeezed(text: string): string {
  return text.replaceAll(/[\s:-]/g, '').toLowerCase()
}
