// SPDX-License-Identifier: Apache-2.0
import { blocksAnswer, type BlocksAnswer } from '../../api/answers.ts'
import { MAX_ANSWER_BYTES, MAX_PAGE_BLOCKS } from '../../api/limits.ts'
import type { DeploymentId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { AmpereError } from '../../errors.ts'
import { ask } from '../../order/ask.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Fetch } from '../../ports/keys.ts'
import { recordOf, type RegistryView } from '../../registry/snapshot.ts'
import { failed, jsonOf } from '../mirror/ask-home.ts'

const WHO = 'the home of the registry'
/** How long one page may take, in milliseconds. */
const PAGE_MS = 30_000
const PAGE = { maxBytes: MAX_ANSWER_BYTES.blocks, beyond: 'fail' } as const

/** Where a registry is at home, as it says itself. */
export interface RegistryHome {
  readonly deployment: DeploymentId
  readonly origin: string
}

/** Where the registry is at home by this view. @throws AmpereError STORE_CORRUPT, which no view is that keeps the rules */
export function registryHomeIn(view: RegistryView): RegistryHome {
  const rules = view.get('rules')
  const deployment = rules?.kind === 'rules' ? recordOf(view, 'deployment', rules.home) : null
  if (!deployment) throw new AmpereError('STORE_CORRUPT', 'the registry names no home of its own')
  return { deployment: deployment.id, origin: deployment.origin }
}

/** Asks for blocks of the registry. What is answered is believed by nobody before it is verified. */
export type AskForBlocks = (from: number, limit?: number) => Promise<BlocksAnswer>

/**
 * Asks the home at an origin, and nobody to whom it sends us. Each answer is bounded in bytes, values and time.
 * @throws AmpereError UPSTREAM_FAILED
 */
export function askingAt(fetch: Fetch, origin: string, deadline: Deadline): AskForBlocks {
  return async (from, limit = MAX_PAGE_BLOCKS) => {
    const url = new URL(`/v1/registry/blocks?from=${from}&limit=${limit}`, origin)
    const { status, bytes } = await ask(
      fetch,
      { url, init: {} },
      { who: WHO, first: deadline(PAGE_MS), limits: () => PAGE },
    )
    if (status !== 200) throw failed(`answered ${status}`, WHO)
    return parseWith(blocksAnswer, jsonOf(bytes, WHO), 'UPSTREAM_FAILED', 'page of the registry')
  }
}
