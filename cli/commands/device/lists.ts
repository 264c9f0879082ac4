// SPDX-License-Identifier: Apache-2.0
import { createFile } from '#adapters/local/store/durable-file.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Controller, Controllers } from '#core/block/block.ts'
import { fingerprintOf, isFingerprintOf, sheetKeys, SHEET_SEED_BYTES } from '#core/client/devices/keys.ts'
import { withSheet, type Lists } from '#core/client/devices/lists.ts'
import { proposeLists } from '#core/client/devices/propose.ts'
import { shortId, type ActingOptions } from '../../deployment/session.ts'
import { checkNew } from '../../device/exchange.ts'
import { membersIn } from '../../device/described.ts'
import { withParty, type Party } from '../../device/party.ts'
import { sheetPage } from '../../device/sheet/page.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { expiryOf, LACKS, proposeHere, type Proposed, type WithinOptions } from './proposing.ts'

interface SheetOptions extends ActingOptions, WithinOptions {
  readonly out?: string
  readonly ask?: string
}

/** Makes a sheet to print, and lists it among those who may recover the record. */
export async function makeSheet(call: Call<SheetOptions>): Promise<number> {
  const { screen, options } = call
  const { out } = options
  if (out === undefined) throw usage('--out is missing: the page to print, or - for standard output')
  const isShown = out === '-'
  if (isShown && (options.json === true || options.ask === undefined))
    throw usage('--out - writes the page to standard output: not with --json, and with --ask FILE')
  const ask = options.ask ?? `${out}.ask.json`
  for (const file of isShown ? [ask] : [out, ask]) checkNew(file)
  return withParty(call, call.args[0] ?? '', async (party) => {
    const seed = crypto.getRandomValues(new Uint8Array(SHEET_SEED_BYTES))
    const keys = await sheetKeys(seed)
    const drafted = await proposeLists(
      party.connection,
      party.chain,
      (lists) => withSheet(lists, keys.member),
      expiryOf(call),
    )
    const recovery = drafted?.proposal.steps[0]?.body.recovery
    if (!drafted || !recovery) throw refuse('UNEXPECTED', 'the sheet is listed already')
    const fingerprint = fingerprintOf(keys.member.kid)
    const { registry, origin } = party.connection.ports.pins
    const place = { v: 1, type: 'ampere-invitation', registry, origin, chain: party.chain } as const
    const made = toTimestamp(screen.terminal.now())
    const page = sheetPage({ seed, fingerprint, place, recovery, made })
    // Before the chain lists it: a sheet that is listed and that nobody has could not be removed by whoever lost all else.
    if (isShown) screen.terminal.out.write(page)
    else if (!createFile(out, page))
      throw refuse('ALREADY_EXISTS', `${out} is there already, and is left alone`)
    const done = await proposeHere(party, drafted, [party.signer, keys.signer], ask)
    seed.fill(0)
    if (isShown) return EXIT.ok
    screen.print({ ok: true, chain: party.chain, fingerprint, sheet: out, ...told(done, ask) }, [
      `The sheet is in ${out}. Print it, then delete the file: whoever has it can read the record.`,
      `  Fingerprint  ${fingerprint}`,
      ...nextLines(party, done, ask),
    ])
    return EXIT.ok
  })
}

interface RecoveryOptions extends ActingOptions, WithinOptions {
  readonly of?: number
  readonly with?: readonly string[]
  readonly off?: boolean
  readonly ask?: string
}

/** Sets who may recover a record, among those whom it lists. */
export async function setRecovery(call: Call<RecoveryOptions>): Promise<number> {
  const { options, screen } = call
  const isOff = options.off === true
  if (isOff === (options.with !== undefined)) throw usage('give --with NAMES, or --off')
  const ask = options.ask ?? 'recovery.ask.json'
  checkNew(ask)
  return withParty(call, call.args[0] ?? '', async (party) => {
    const { state } = (await party.connection.replica(party.chain)).link
    const recovery = isOff ? null : chosen(state, options)
    const { connection, chain } = party
    const next = ({ controllers }: Lists) => ({ controllers, recovery })
    const drafted = await proposeLists(connection, chain, next, expiryOf(call))
    const done = drafted ? await proposeHere(party, drafted, [party.signer], ask) : { made: [], lacks: null }
    screen.print({ ok: true, chain, ...told(done, ask) }, [
      `May recover the record: ${recovery ? membersIn(recovery) : 'nobody'}.`,
      ...(drafted ? nextLines(party, done, ask) : ['That is so already; nothing was changed.']),
    ])
    return EXIT.ok
  })
}

/** @throws AmpereError NOT_FOUND, CommanderError (usage) */
function chosen(lists: Lists, { of: threshold = 2, with: names = [] }: RecoveryOptions): Controllers {
  const known = [...lists.controllers.members, ...(lists.recovery?.members ?? [])]
  const members = new Map<string, Controller>()
  for (const name of names) {
    const found = known.filter((member) => isNamed(member, name))
    if (found.length === 0)
      throw refuse(
        'NOT_FOUND',
        `nobody whom the record lists is named ${name.slice(0, 63)}`,
        'npx ampere device list RECORD',
      )
    for (const member of found)
      members.set(member.kind === 'device' ? member.kid : member.institution, member)
  }
  if (threshold < 1 || threshold > members.size)
    throw usage(`--of: 1 to ${members.size}, as many as are named`)
  return { threshold, members: [...members.values()] }
}

/** By its id, `institution` for each of them, or the beginning of a fingerprint, four characters or more. */
function isNamed(member: Controller, name: string): boolean {
  if (member.kind === 'institution') return name === 'institution' || name === member.institution
  return isFingerprintOf(member.kid, name)
}

function told({ made, lacks }: Proposed, ask: string) {
  return { made, lacks, file: lacks === null ? null : ask }
}

function nextLines({ chain }: Party, { made, lacks }: Proposed, ask: string): string[] {
  if (lacks === null)
    return [`Listed since block ${made[0]?.block ?? ''}. Next: npx ampere device list ${shortId(chain)}`]
  return [
    `It is not listed yet: ${LACKS[lacks]}.`,
    `Give them ${ask}, and then the answer here: npx ampere device approve ANSWER`,
    `There     npx ampere device approve FILE --out ANSWER`,
  ]
}
