// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import type { FiledFinding } from '#core/bridge/serve/projection.ts'
import { EXIT, print, say, type Common } from '../terminal/output.ts'
import { dataFolder, readSettings } from '../deployment/settings.ts'
import { isRunning } from '../deployment/home.ts'
import { knownChains, withSession, type ActingOptions } from '../deployment/session.ts'

/** Files a Bundle or NDJSON file as one of this machine's institutions. */
export async function importFile(file: string, options: ActingOptions): Promise<number> {
  const bytes = readFileSync(file)
  const format = /\.ndjson$/i.test(file) ? ('fhir+ndjson' as const) : ('fhir+json' as const)
  return withSession(options, async (session) => {
    say(options, 'Reading, checking, sealing ...')
    const report = await session.open.bridge.import(bytes, format)
    const count = (outcome: string) => report.filed.filter((item) => item.outcome === outcome).length
    const filed = count('created') + count('updated')
    const total = report.filed.length + report.quarantined.length
    const position = format === 'fhir+ndjson' ? 'line' : 'entry'
    const quarantined = report.quarantined.map((item) => ({
      [position]: item.position,
      code: item.code,
      why: item.issues[0]?.diagnostics ?? '',
    }))
    print(
      options,
      {
        ok: quarantined.length === 0,
        filed,
        unchanged: count('unchanged'),
        findings: report.findings,
        quarantined,
      },
      [
        `Filed ${filed} of ${total}; ${count('unchanged')} were there already. New findings: ${report.findings}. In quarantine: ${quarantined.length}`,
        ...report.quarantined
          .slice(0, 20)
          .map(
            (item) =>
              `  ${position} ${item.position}   ${item.issues[0]?.expression ?? ''} ${item.issues[0]?.diagnostics ?? ''}`,
          ),
        ...(quarantined.length > 0
          ? ['  Next: correct them and import the file again; what was filed is skipped.']
          : []),
      ],
    )
    return quarantined.length === 0 ? EXIT.ok : EXIT.failed
  })
}

/** Lists what does not fit in the records: about the data, never about treatment. */
export async function findings(options: ActingOptions): Promise<number> {
  return withSession(options, async (session) => {
    const items: FiledFinding[] = []
    for (const { id } of await knownChains(session)) {
      const { projection } = await session.open.bridge.record(id)
      items.push(...projection.findings)
    }
    print(
      options,
      { items },
      items.flatMap((finding) => [
        `${String(finding['severity']).padEnd(6)} ${String(finding['rule']).padEnd(5)} ${String(finding['title'])}`,
        `             ${String(finding['explanation'])}`,
      ]),
    )
    return EXIT.ok
  })
}

/** Says what this machine and this folder are like, and what to do about it. */
export async function doctor(options: Common): Promise<number> {
  const folder = dataFolder(options.data)
  const settings = readSettings(folder)
  const running = settings ? await isRunning(settings) : false
  print(
    options,
    {
      node: process.version,
      folder,
      deployment: settings?.deployment ?? null,
      origin: settings?.origin ?? null,
      running,
    },
    [
      `Node      ${process.version}`,
      `Data      ${folder}${settings ? '' : ' (empty; npx ampere start --demo fills it)'}`,
      ...(settings
        ? [`Serving   ${running ? settings.origin : 'no (npm start)'}`, `Registry  ${settings.registry}`]
        : []),
    ],
  )
  return EXIT.ok
}
