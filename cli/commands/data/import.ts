// SPDX-License-Identifier: Apache-2.0
import { groupByPatient } from '#core/bridge/file/group-patients.ts'
import type { ImportReport } from '#core/bridge/bridge.ts'
import type { Intake } from '#core/record/fhir/intake.ts'
import { withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { readInput } from '../../terminal/files.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { columns, count, counted } from '../../terminal/words.ts'
import { reasonOf } from './reason.ts'

/** Largest file that is read, in bytes: its text and its parsed form are in memory at once. */
export const MAX_IMPORT_BYTES = 256 * 1024 * 1024
/** Quarantined items that are listed for people; --json has all. */
const MAX_LISTED = 50

type Filed = ImportReport['filed']

/** Files a Bundle or NDJSON file as one of this machine's institutions. */
export async function importFile(call: Call<ActingOptions>): Promise<number> {
  const [file = ''] = call.args
  const isNdjson = /\.ndjson$/i.test(file)
  const split = isNdjson ? `split -l 50000 ${file}, then import each part` : 'send one Bundle per patient'
  const bytes = readInput(file, MAX_IMPORT_BYTES, split)
  const { screen } = call
  return withSession(call, async (session) => {
    screen.say('Reading and checking ...')
    await session.open.prepare()
    const intake = session.open.bridge.intake(bytes, isNdjson ? 'fhir+ndjson' : 'fhir+json')
    const { filed, findings } = await fileByPatient(session, intake, screen)
    return report(session, screen, intake, { filed, findings }, isNdjson ? 'line' : 'entry')
  })
}

/** Files patient by patient, so that progress can be told and what was filed is known when it is stopped. */
async function fileByPatient(
  { open }: Session,
  intake: Intake,
  screen: Screen,
): Promise<{ readonly filed: Filed; readonly findings: number }> {
  const { groups } = groupByPatient(intake, open.bridge.ports.validator.patientTypes)
  const total = groups.reduce((sum, group) => sum + group.items.length, 0)
  const progress = screen.progress({ doing: 'Sealing and filing', unit: 'resources', total })
  const filed: Filed[number][] = []
  let findings = 0
  screen.stopping.keeps(
    () =>
      `${count(filed.length)} of ${count(total)} resources are filed and kept. Import the file again: filed ones are skipped.`,
  )
  try {
    for (const { items } of groups) {
      const part = await open.bridge.fileIntake({ ...intake, items }, { resend: 'message' })
      filed.push(...part.filed)
      findings += part.findings
      progress.update(filed.length)
    }
  } finally {
    progress.stop()
  }
  return { filed, findings }
}

function report(
  { open, settings }: Session,
  screen: Screen,
  intake: Intake,
  { filed, findings }: { readonly filed: Filed; readonly findings: number },
  unit: 'line' | 'entry',
): number {
  const positions = (outcomes: readonly string[]) =>
    new Set(filed.filter(({ outcome }) => outcomes.includes(outcome)).map(({ item }) => item.position))
  const fresh = positions(['created', 'updated'])
  const known = new Set([...positions(['unchanged'])].filter((position) => !fresh.has(position)))
  const seen = new Set(filed.map(({ item }) => item.position))
  const left = intake.items.filter(({ position }) => !seen.has(position)).map(({ position }) => position)
  const total = intake.items.length + intake.quarantined.length
  const quarantined = intake.quarantined.map((item) => ({
    [unit]: item.position,
    code: item.code,
    why: reasonOf(item),
  }))
  const ok = quarantined.length + left.length === 0
  const dangling = intake.dangling.map(({ position, expression }) => ({ [unit]: position, expression }))
  const said = { filed: fresh.size, of: total, unchanged: known.size, leftOut: left, dangling, findings }
  screen.print({ ok, ...said, quarantined }, [
    `Filed ${count(fresh.size)} of ${count(total)}${settings.institutions.length > 1 ? ` as ${open.institution.id}` : ''}${known.size === 0 ? '' : `; ${count(known.size)} were there already`}. In quarantine: ${count(quarantined.length)}`,
    ...columns(
      intake.quarantined.slice(0, MAX_LISTED).map((item) => [`${unit} ${item.position}`, reasonOf(item)]),
    ),
    ...(quarantined.length > MAX_LISTED
      ? [`  ${count(quarantined.length - MAX_LISTED)} more: --json lists all`]
      : []),
    ...(left.length === 0
      ? []
      : [`  Left out, for they belong to no patient: ${unit} ${left.slice(0, MAX_LISTED).join(', ')}`]),
    ...(dangling.length === 0
      ? []
      : [
          `  ${counted(dangling.length, 'reference')} to nothing in this file, kept as sent: --json says where`,
        ]),
    ...(findings === 0 ? [] : [`${counted(findings, 'new finding')}. See  npx ampere findings`]),
    ...(quarantined.length === 0
      ? []
      : [`  Next: correct ${them(quarantined.length)}, import again; filed ones are skipped.`]),
  ])
  return ok ? EXIT.ok : EXIT.failed
}

function them(number: number): string {
  if (number === 1) return 'it'
  return number === 2 ? 'both' : 'them'
}
