// SPDX-License-Identifier: Apache-2.0
import { parseHead } from '../../api/head.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { ROLLBACK_MARGIN_MS } from '../../evidence/heads.ts'
import { evidenceOfHeads } from '../../evidence/build.ts'
import { MAX_REGISTRY_BLOCKS } from '../../evidence/format.ts'
import type { ClientPorts } from '../client.ts'
import type { HomeApi } from '../home-api.ts'
import { registryBlocks } from '../read/registry-blocks.ts'
import { keepEvidence } from './keep-evidence.ts'

/**
 * What to throw for a home that contradicts itself: the error, which says where the evidence was kept if two of its
 * head statements convict it. Not all do: a lower head within minutes of the higher may be a race of an honest home.
 */
export async function withEvidence(
  ports: Pick<ClientPorts, 'pins' | 'evidence'>,
  api: HomeApi,
  error: unknown,
  statements: readonly [string, string],
): Promise<unknown> {
  if (!ports.evidence || !isAmpereError(error, 'VERIFICATION_FAILED')) return error
  const { registry } = ports.pins
  const kept = await keepEvidence(ports.evidence, { registry, logs: [] }, () =>
    evidenceOf(ports.pins, api, statements),
  )
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

async function evidenceOf(
  { origin, registry }: ClientPorts['pins'],
  api: HomeApi,
  statements: readonly [string, string],
): Promise<Uint8Array> {
  const needed = Math.max(...statements.map((compact) => parseHead(compact).head.registry.height))
  const blocks = await registryFor(api, needed)
  return evidenceOfHeads({ origin, registry: { id: registry, blocks } }, statements)
}

/** The whole registry as this home has it now. @throws AmpereError NOT_FOUND for one that ends before the height that is needed */
export async function registryFor(api: HomeApi, needed: number): Promise<readonly string[]> {
  // One more than a file may have: what is cut off could be what revoked the key.
  const blocks: string[] = []
  for await (const compact of registryBlocks(api, 0, MAX_REGISTRY_BLOCKS + 1)) blocks.push(compact)
  if (blocks.length <= needed)
    throw new AmpereError('NOT_FOUND', 'the home holds back blocks of the registry')
  return blocks
}
