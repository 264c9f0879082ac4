// SPDX-License-Identifier: Apache-2.0
import { createVerifiers } from '#core/crypto/signature.ts'
import { isAmpereError } from '#core/errors.ts'
import type { LogKey } from '#core/log/note/key.ts'
import { openCheckpoint, type OpenedCheckpoint } from '#core/log/note/open-checkpoint.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { quorumOf } from '#core/log/policy/quorum.ts'
import { refuse } from '../program/refuse.ts'

/** A witness of the policy: the keys of one name at one URL. */
export interface AskedWitness {
  readonly name: string
  readonly url: string | null
  readonly keys: readonly LogKey[]
}

/** What is known of a witness without asking it. */
export interface Standing extends AskedWitness {
  /** Leaves of the newest checkpoint if all its keys cosigned that, and when the oldest of them did, in POSIX seconds. */
  readonly cosigned: { readonly size: number; readonly time: number } | null
}

/** The witnesses of a policy by name and URL, in its order. */
export function askedWitnesses({ witnesses }: Policy): readonly AskedWitness[] {
  const found = new Map<string, AskedWitness>()
  for (const { key, url } of witnesses) {
    const id = `${key.name} ${url ?? ''}`
    found.set(id, { name: key.name, url, keys: [...(found.get(id)?.keys ?? []), key] })
  }
  return [...found.values()]
}

/** The newest checkpoint as the policy reads it. @throws AmpereError CONFIGURATION when the policy has other keys */
export async function openNewest(policy: Policy, note: string): Promise<OpenedCheckpoint> {
  const keys = { logs: policy.logs.map(({ key }) => key), cosigners: policy.witnesses.map(({ key }) => key) }
  try {
    return await openCheckpoint(note, keys, createVerifiers())
  } catch (cause) {
    if (!isAmpereError(cause, 'SIGNATURE_INVALID')) throw cause
    throw refuse(
      'CONFIGURATION',
      'policy.txt does not have the keys of the log of this home',
      'correct it: npx ampere witness status --keys prints them',
      cause,
    )
  }
}

/** Who cosigned the newest checkpoint. */
export function standingsOf(policy: Policy, newest: OpenedCheckpoint | null): readonly Standing[] {
  return askedWitnesses(policy).map((asked) => {
    const times = asked.keys.map((key) => newest?.cosignatures.find((made) => made.key === key)?.time ?? 0)
    const isCosigned = newest !== null && times.every((time) => time > 0)
    return {
      ...asked,
      cosigned: isCosigned ? { size: newest.checkpoint.size, time: Math.min(...times) } : null,
    }
  })
}

/** Whether the newest checkpoint has the quorum; false where the policy asks for none. */
export function isWitnessed(policy: Policy, newest: OpenedCheckpoint | null): boolean {
  const cosigned = (newest?.cosignatures ?? []).filter(({ time }) => time > 0).map(({ key }) => key)
  return policy.quorum !== null && quorumOf(policy, cosigned).satisfied
}
