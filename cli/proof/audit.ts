// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { asChainId } from '#core/bytes/ids.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import { MAX_ANSWER_BYTES } from '#core/api/limits.ts'
import { authorize } from '#core/api/request.ts'
import { call } from '#core/client/answer.ts'
import type { Connection } from '#core/client/connect.ts'
import { answered, readJson } from '#core/client/ask-home.ts'
import { AmpereError } from '#core/errors.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { FLAGS, type AuditReport } from '#core/server/audit/report.ts'
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
  flags: v.array(
    v.object({
      chain: v.string(),
      height: v.nullable(v.number()),
      flag: v.picklist(FLAGS),
      detail: v.string(),
      since: v.nullable(v.string()),
    }),
  ),
  /** Chains that take longer than one request may. */
  unfinished: v.array(v.string()),
  next: v.nullable(v.string()),
})
type Answer = v.InferOutput<typeof answer>

/**
 * The home's audit of everything that it holds: every chain, whoever's. Where a server runs, or a cloud has it, it audits itself
 * and is asked over HTTP, else its stores are read here.
 */
export async function auditHome(
  reached: Reached,
  connection: Connection,
  screen: Screen,
): Promise<AuditReport> {
  const progress = screen.progress({ doing: 'Auditing', unit: 'blocks' })
  try {
    if (!reached.home) return await auditOverHttp(connection, (blocks) => progress.update(blocks))
    const ports = await select(reached.home.platform, AUDITOR_NEEDS)
    return await auditChains(ports, reached.home.home, listChains(ports), (blocks) => progress.update(blocks))
  } finally {
    progress.stop()
  }
}

/** The home's own audit, request by request, each going on where the one before ended. */
async function auditOverHttp(
  connection: Connection,
  progress: (blocks: number) => void,
): Promise<AuditReport> {
  const parts: Answer[] = []
  for (let from: string | null = ''; from !== null;) {
    const part = await auditPart(connection, from)
    parts.push(part)
    from = part.next
    progress(sum(parts, 'blocks'))
  }
  const [first] = parts
  // Every part tells the registry's own findings: the first one's are enough.
  const registry = connection.ports.pins.registry as string
  const findings = parts.flatMap((part) =>
    part.findings.filter(({ chain }) => part === first || chain !== registry),
  )
  return {
    chains: sum(parts, 'chains'),
    blocks: sum(parts, 'blocks'),
    entries: sum(parts, 'entries'),
    erased: sum(parts, 'erased'),
    findings: findings.map((item) => ({ ...item, chain: asChainId(item.chain) })),
    flags: parts.flatMap((part) => [...part.flags.map(flagOf), ...part.unfinished.map(notVerified)]),
    next: null,
  }
}

function sum(parts: readonly Answer[], what: 'chains' | 'blocks' | 'entries' | 'erased'): number {
  return parts.reduce((total, part) => total + part[what], 0)
}

function flagOf({ chain, since, ...flag }: Answer['flags'][number]): AuditReport['flags'][number] {
  return { ...flag, chain: asChainId(chain), since: since === null ? null : toTimestamp(timestampMs(since)) }
}

function notVerified(chain: string): AuditReport['flags'][number] {
  const detail =
    'takes longer than the home gives one request (a server on this computer: stop it and audit again)'
  return { chain: asChainId(chain), height: null, flag: 'not-verified', detail, since: null }
}

async function auditPart({ ports }: Connection, from: string): Promise<Answer> {
  const url = new URL('/v1/audits/all', ports.pins.origin)
  if (from !== '') url.searchParams.set('from', from)
  const { now, random, identity } = ports
  const asked = { method: 'GET' as const, url, body: new Uint8Array(0) }
  const header = await authorize(asked, { now, random, signer: identity.signer })
  const request = { url, init: { headers: { authorization: header } }, bytes: 0 }
  const limits = { maxBytes: MAX_ANSWER_BYTES.audit, beyond: 'fail' as const }
  const report = v.safeParse(answer, readJson(answered(await call(ports, request, limits))))
  if (report.success) return report.output
  throw new AmpereError('UPSTREAM_FAILED', 'the home did not answer as an audit does')
}
