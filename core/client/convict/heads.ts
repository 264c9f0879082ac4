// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError } from '../../errors.ts'
import { evidenceOfHeads } from '../../evidence/build.ts'
import type { ClientPorts } from '../client.ts'
import type { SyncContext } from '../read/replica.ts'
import { keepEvidence } from './keep-evidence.ts'

/**
 * What to throw for a home that contradicts itself: the error, which says where the evidence was kept if two of its
 * head statements convict it. Not all do: a lower head within minutes of the higher may be a race of an honest home.
 */
export async function withEvidence(
  ports: Pick<ClientPorts, 'pins' | 'evidence'>,
  sync: KnownRegistry,
  error: unknown,
  statements: readonly [string, string],
): Promise<unknown> {
  if (!ports.evidence || !isAmpereError(error, 'VERIFICATION_FAILED')) return error
  const { origin, registry } = ports.pins
  const kept = await keepEvidence(ports.evidence, { registry, logs: [] }, async () => {
    const blocks = await newestRegistry(sync)
    return evidenceOfHeads({ origin, registry: { id: registry, blocks } }, statements)
  })
  return kept === '' ? error : new AmpereError(error.code, `${error.message}${kept}`, { cause: error })
}

/** The registry of a client, and how it is brought up to date. */
export type KnownRegistry = Pick<SyncContext, 'registry' | 'refreshRegistry'>

/**
 * The whole registry as this client verified it, with the news that the home shows. A home that shows none, now that it
 * is to be convicted, is convicted by what it showed before: evidence says as of which block it was judged.
 */
export async function newestRegistry({
  registry,
  refreshRegistry,
}: KnownRegistry): Promise<readonly string[]> {
  try {
    await refreshRegistry()
  } catch (error) {
    if (!isAmpereError(error)) throw error
  }
  return registry.blocks()
}
