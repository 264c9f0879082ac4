// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { asChainId } from '#core/bytes/ids.ts'
import { authorize } from '#core/api/request.ts'
import type { Connection } from '#core/client/connect.ts'
import { AmpereError, type ErrorCode } from '#core/errors.ts'
import { PROBLEMS } from '#core/api/problems.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, AUDITOR_NEEDS, listChains, type AuditReport } from '#core/server/audit.ts'
import type { Reached } from '../deployment/session.ts'
import type { Screen } from '../terminal/screen.ts'

const answer = v.object({
  chains: v.number(),
  blocks: v.number(),
  entries: v.number(),
  erased: v.number(),
  findings: v.array(
    v.object({
      chain: v.string(),
      height: v.number(),
      status: v.picklist(['tampered', 'missing']),
      rule: v.string(),
      detail: v.string(),
    }),
  ),
})
const problem = v.object({ code: v.string(), detail: v.string() })

/**
 * The home's audit of everything that it holds: every chain, whoever's. Where a server runs it audits itself
 * and is asked over HTTP, else its stores are read here.
 */
export async function auditHome(
  reached: Reached,
  connection: Connection,
  screen: Screen,
): Promise<AuditReport> {
  const progress = screen.progress({ doing: 'Auditing', unit: 'blocks' })
  try {
    if (!reached.home) return await auditOverHttp(connection)
    const ports = await select(reached.home.platform, AUDITOR_NEEDS)
    return await auditChains(ports, reached.home.home, listChains(ports), (blocks) => progress.update(blocks))
  } finally {
    progress.stop()
  }
}

function reportOf(said: v.InferOutput<typeof answer>): AuditReport {
  return { ...said, findings: said.findings.map((item) => ({ ...item, chain: asChainId(item.chain) })) }
}

async function auditOverHttp({ ports }: Connection): Promise<AuditReport> {
  const url = new URL('/v1/audits/all', ports.pins.origin)
  const { now, random, identity } = ports
  const asked = { method: 'GET' as const, url, body: new Uint8Array(0) }
  const header = await authorize(asked, { now, random, signer: identity.signer })
  let response: Response
  try {
    response = await ports.fetch(new Request(url, { headers: { authorization: header } }))
  } catch (cause) {
    throw new AmpereError('UPSTREAM_FAILED', 'the running server did not answer the audit', { cause })
  }
  const body: unknown = await response.json().catch(() => null)
  const report = v.safeParse(answer, body)
  if (response.ok && report.success) return reportOf(report.output)
  const said = v.safeParse(problem, body)
  if (!said.success)
    throw new AmpereError('UPSTREAM_FAILED', `the running server answered ${response.status}`)
  const { code, detail } = said.output
  throw new AmpereError(code in PROBLEMS ? (code as ErrorCode) : 'UPSTREAM_FAILED', detail)
}
