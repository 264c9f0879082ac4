// SPDX-License-Identifier: Apache-2.0
import type { Passphrase } from '#adapters/local/keys/key-file.ts'
import { openKeyring, renewKeys } from '#adapters/local/keys/keyring.ts'
import { localSigner } from '#adapters/local/signer.ts'
import { witnessNameOf } from '#core/api/log.ts'
import { signingAlgorithm } from '#core/ports/needs.ts'
import type { Random } from '#core/ports/keys.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { fingerprintOf } from './published-keys.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
const KEYS = (['witness', 'witness-quantum'] as const).map((name) => ({ name, alg: signingAlgorithm(name) }))

/** A home's witness as other operators know it. */
export interface RenewedWitness {
  readonly name: string
  /** What its operator reads to others. */
  readonly fingerprint: string
}

/**
 * Makes the keys of a home's witness anew, in every copy of its key file that is given. Whoever has lost what the old ones
 * cosigned must not sign with them again.
 * @throws AmpereError as `renewKeys`
 */
export async function renewWitnessKeys(
  files: readonly string[],
  passphrase: Passphrase,
  origin: string,
): Promise<RenewedWitness> {
  renewKeys(files, passphrase, KEYS, random)
  return witnessIn(files.at(-1) ?? '', passphrase, origin)
}

/** The home's witness by a key file. @throws AmpereError as `openKeyring` */
export async function witnessIn(
  file: string,
  passphrase: Passphrase,
  origin: string,
): Promise<RenewedWitness> {
  const keyring = openKeyring(file, passphrase, random)
  const keys = {
    witness: await localSigner(keyring, 'witness'),
    'witness-quantum': await localSigner(keyring, 'witness-quantum'),
  }
  const name = witnessNameOf(origin)
  return { name, fingerprint: fingerprintOf(witnessKeys({ keys }, name)) }
}

/** What has to be done since the keys are others. */
export function renewalLines({ name, fingerprint }: RenewedWitness, origin: string): readonly string[] {
  return [
    `The witness of this home, ${name}, has new keys: what the old ones cosigned is not known here any more.`,
    `  Fingerprint  ${fingerprint}`,
    `Tell the operator of each log that it witnesses: npx ampere witness remove ${origin}, then npx ampere`,
    `witness add ${origin}, comparing the fingerprint, and a restart. Keep a new copy of home/keys.json apart.`,
  ]
}
