// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs'
import type { Digest } from '#core/bytes/ids.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { auditChains, AUDITOR_NEEDS, listChains } from '#core/server/audit.ts'
import { select } from '#core/ports/needs.ts'
import { EXIT, print, progress } from '../terminal/output.ts'
import { dataFolder, readSettings } from '../deployment/settings.ts'
import { verifyChain, type Problem } from '../proof/verify-chain.ts'
import {
  chainArgument,
  knownChains,
  withSession,
  type ActingOptions,
  type Session,
} from '../deployment/session.ts'

/** Verifies an exported file without any server, or with --all every chain that this institution knows. */
export async function verify(
  file: string | undefined,
  options: ActingOptions & { all?: boolean; registry?: string },
): Promise<number> {
  if (file !== undefined) return verifyFile(file, options)
  return withSession(options, async (session) => {
    const known = await knownChains(session)
    const results = []
    for (const { chain } of known) results.push(await verifyChain(session.open.connection, chain))
    const audited = await auditHome(session, options)
    const problems = dedupe([...results.flatMap((result) => result.problems), ...audited])
    const blocks = results.reduce((sum, result) => sum + result.blocks, 0)
    const entries = results.reduce((sum, result) => sum + result.entries, 0)
    const erased = results.reduce((sum, result) => sum + result.erased, 0)
    print(options, { ok: problems.length === 0, chains: known.length, blocks, entries, erased, problems }, [
      `${known.length} records, ${blocks} blocks, ${entries} entries, ${erased} erased`,
      ...problems.map(line),
      problems.length === 0
        ? 'Everything that is stored is what was signed.'
        : `  Next: npx ampere chain show ${known[0]?.chain.slice(0, 6) ?? ''}`,
    ])
    return problems.length === 0 ? EXIT.ok : EXIT.verification
  })
}

async function verifyFile(file: string, options: ActingOptions & { registry?: string }): Promise<number> {
  const settings = readSettings(dataFolder(options.data))
  const pinned = (options.registry ?? settings?.registry) as Digest | undefined
  const report = await verifyExport(readFileSync(file), pinned)
  const ok = report.problems.length === 0
  print(options, { ok, ...report }, [
    `${report.blocks} blocks, ${report.entries} entries, ${report.erased} erased, complete as of ${report.asOf} as its home says`,
    pinned === undefined
      ? `Not checked: whether registry ${report.registry} is one to trust (--registry ID pins it)`
      : 'Registry: the pinned one.',
    ...report.problems.map(
      ({ height, rule, detail }) => `FAILED block ${height}: tampered (rule ${rule}). ${detail}`,
    ),
    'Not checked: contents, which stay sealed; witnesses, which do not exist yet.',
  ])
  return ok ? EXIT.ok : EXIT.verification
}

/** What the home's own audit says, where the home is on this machine. */
async function auditHome(session: Session, options: ActingOptions): Promise<Problem[]> {
  if (!session.home) return []
  const bar = progress(options, 'Auditing')
  const ports = await select(session.home.platform, AUDITOR_NEEDS)
  const report = await auditChains(ports, session.home.home, listChains(ports), (blocks) =>
    bar.update(blocks),
  )
  bar.stop()
  return report.findings.map(({ chain, height, status, rule, detail }) => ({
    chain,
    height,
    status,
    rule,
    detail,
  }))
}

/** Audits the home's stores: every chain, block, state, key row and object. */
export async function audit(options: ActingOptions): Promise<number> {
  return withSession(options, async (session) => {
    const response = session.home
      ? await auditHome(session, options)
      : (await verifyChain(session.open.connection, (await knownChains(session))[0]?.chain as never)).problems
    print(options, { ok: response.length === 0, problems: response }, [
      response.length === 0 ? 'Nothing is wrong.' : `${response.length} problems`,
      ...response.map(line),
    ])
    return response.length === 0 ? EXIT.ok : EXIT.verification
  })
}

/** Writes one record to a file that anyone can verify offline. */
export async function exportChain(chain: string, file: string, options: ActingOptions): Promise<number> {
  return withSession(options, async (session) => {
    const bytes = await exportRecord(session.open.connection, await chainArgument(session, chain))
    writeFileSync(file, bytes, { mode: 0o600, flag: 'wx' })
    print(options, { ok: true, file, bytes: bytes.length }, [
      `Written: ${file}, ${bytes.length} bytes`,
      `Try   npx ampere verify ${file}`,
    ])
    return EXIT.ok
  })
}

function line(problem: Problem): string {
  const block = problem.height === null ? '' : ` block ${problem.height}`
  return `FAILED${block}: ${problem.status} (rule ${problem.rule}). ${problem.detail}`
}

/** The client and the audit name the same damage; the audit's rule is the more exact one. */
function dedupe(problems: readonly Problem[]): Problem[] {
  const byPlace = new Map<string, Problem>()
  for (const problem of problems) byPlace.set(`${problem.chain}/${String(problem.height)}`, problem)
  return [...byPlace.values()]
}
