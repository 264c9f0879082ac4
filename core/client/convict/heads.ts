// SPDX-License-Identifier: Apache-2.0
import { parseHead } from '../../api/head.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { ROLLBACK_MARGIN_MS } from '../../evidence/heads.ts'
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
  const said = kept === '' && isWithinMargin(statements) ? TOO_SOON : kept
  return said === '' ? error : new AmpereError(error.code, `${error.message}${said}`, { cause: error })
}

/** What an honest home may do once, a guilty one goes on doing. */
const TOO_SOON =
  '; heads within two minutes of each other may be a race and convict nobody: do the same again after that'

/** Whether two heads are a rollback but for the time between them. */
function isWithinMargin(statements: readonly [string, string]): boolean {
  const [before, after] = [parseHead(statements[0]).head, parseHead(statements[1]).head]
  const lateBy = timestampMs(after.time) - timestampMs(before.time)
  return after.height < before.height && lateBy <= ROLLBACK_MARGIN_MS
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
