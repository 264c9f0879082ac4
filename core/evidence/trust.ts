// SPDX-License-Identifier: Apache-2.0
import type { Digest, Kid } from '../bytes/ids.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError, brokenRule, isAmpereError } from '../errors.ts'
import { isSameKey, parseVerifierKey, type LogKey } from '../log/note/key.ts'
import type { PublicJwk } from '../ports/keys.ts'
import { createRegistryHistory } from '../registry/history.ts'
import { keyRecordOf, recordOf, type RegistryView } from '../registry/snapshot.ts'

/** What the judge of a file brings along: a file never chooses whom to believe. */
export interface EvidencePins {
  /** Id of the registry that is trusted; null for none. */
  readonly registry: Digest | null
  /** Verifier keys of logs (c2sp.org/signed-note), each with the log's origin as its name. */
  readonly logs: readonly string[]
}

/** The registry of a file, verified from its pinned genesis. */
export interface TrustedRegistry {
  readonly id: Digest
  /** Height of the newest block in the file. */
  readonly height: number
  /** The key behind `kid` if it signed heads for a deployment that had this origin; else null. */
  readonly headKey: (kid: Kid, origin: string) => PublicJwk | null
}

/** Everything of a verification that does not depend on the kind. */
export interface Trusted {
  readonly verifiers: Verifiers
  readonly registry: TrustedRegistry | null
  readonly logKeys: readonly LogKey[]
}

/**
 * Verifies the registry of a file.
 * @throws AmpereError CONFIGURATION when none is pinned, VERIFICATION_FAILED (rules `pinned`, `registry`)
 */
export async function openRegistry(
  { id, blocks }: { readonly id: Digest; readonly blocks: readonly string[] },
  pins: EvidencePins,
  verifiers: Verifiers,
): Promise<TrustedRegistry> {
  if (pins.registry === null) throw unpinned('this evidence needs the id of a registry that you trust')
  if (pins.registry !== id)
    throw brokenRule('pinned', 'the evidence is of another registry than the pinned one')
  const history = createRegistryHistory(id, verifiers)
  const views: RegistryView[] = []
  try {
    for (const compact of blocks) {
      await history.add(compact)
      views.push(history.newest())
    }
  } catch (cause) {
    if (!isAmpereError(cause)) throw cause
    throw brokenRule('registry', cause.message, cause)
  }
  return { id, height: history.height(), headKey: (kid, origin) => headKeyIn(views, kid, origin) }
}

/**
 * The keys of a file's log that are pinned; signatures by others are nobody's.
 * @throws AmpereError CONFIGURATION when no log is pinned, or a pin is no verifier key; VERIFICATION_FAILED (rule `form`
 * or `pinned`)
 */
export function openLogKeys(
  texts: readonly string[],
  origin: string,
  { logs }: EvidencePins,
): readonly LogKey[] {
  if (logs.length === 0) throw unpinned('this evidence needs a verifier key that you trust of its log')
  const pins = readKeys(logs, (cause) => unpinned('a key that you trust of a log is no verifier key', cause))
  // Section 11: a log signs with the other types. What a witness signed convicts no log, whatever the name of its key.
  const pinned = pins.filter(({ name, type }) => name === origin && type !== 'cosignature-Ed25519')
  const named = readKeys(texts, (cause) => brokenRule('form', 'a key of the log is no verifier key', cause))
  const keys = named.filter((key) => pinned.some((pin) => isSameKey(pin, key)))
  if (keys.length === 0) throw brokenRule('pinned', 'the evidence names no pinned key of its log')
  return keys
}

function readKeys(texts: readonly string[], unreadable: (cause: unknown) => AmpereError): readonly LogKey[] {
  try {
    return texts.map(parseVerifierKey)
  } catch (cause) {
    throw unreadable(cause)
  }
}

/**
 * A key that was retired, or a deployment that has moved since, still answers for what it signed. One that was revoked
 * as compromised answers for nothing: whoever stole it can sign any time.
 */
function headKeyIn(views: readonly RegistryView[], kid: Kid, origin: string): PublicJwk | null {
  const newest = views.at(-1)
  const key = newest ? keyRecordOf(newest, kid) : null
  if (key?.use !== 'head' || key.revoked?.reason === 'compromised' || !('deployment' in key.owner))
    return null
  const { deployment } = key.owner
  const isOwner = views.some(
    (view) => keyRecordOf(view, kid) !== null && recordOf(view, 'deployment', deployment)?.origin === origin,
  )
  return isOwner ? key.jwk : null
}

function unpinned(detail: string, cause?: unknown): AmpereError {
  return new AmpereError('CONFIGURATION', detail, { cause })
}
