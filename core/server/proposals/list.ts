// SPDX-License-Identifier: Apache-2.0
import type { ProposalsAnswer } from '../../api/answers.ts'
import { MAX_PAGE_PROPOSALS } from '../../api/limits.ts'
import type { Home } from '../home.ts'
import type { RegistrarPorts } from '../registrar.ts'
import { fitting } from '../store/page.ts'
import { openIn, registryNow } from './propose.ts'
import { loadProposals } from './store.ts'

/** Open proposals with the approvals that were given, in order of their actions, from one on; who reads them verifies all of it. */
export async function listProposals(
  ports: { readonly tables: Pick<RegistrarPorts['tables'], 'registry'>; readonly now: RegistrarPorts['now'] },
  home: Home,
  from: string,
): Promise<ProposalsAnswer> {
  const { time, after } = await registryNow(ports, home)
  const stored = (await loadProposals(ports.tables.registry, after)).filter(({ action }) => action >= from)
  const items = stored.flatMap((one) => {
    const [proposal] = openIn([one], time)
    const approvals = one.approvals.map(({ compact }) => compact)
    return proposal ? [{ action: one.action, proposal: proposal.compact, approvals }] : []
  })
  const fits = fitting(items.slice(0, MAX_PAGE_PROPOSALS).map((item) => JSON.stringify(item))).length
  return { items: items.slice(0, fits), next: items[fits]?.action ?? null }
}
