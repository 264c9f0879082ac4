// SPDX-License-Identifier: Apache-2.0
import { createFile } from '#adapters/local/store/durable-file.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import { fingerprintOf } from '#core/client/devices/keys.ts'
import { isSameLists } from '#core/client/devices/lists.ts'
import { bothChains } from '#core/client/devices/propose.ts'
import { recoveriesOf } from '#core/client/devices/settle.ts'
import type { RecordView } from '#core/client/client.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { devicesOf, type PendingRecovery } from '#core/chain/state.ts'
import { shortId, type ActingOptions } from '../../deployment/session.ts'
import { listLines } from '../../device/described.ts'
import { checkNew } from '../../device/exchange.ts'
import { withParty } from '../../device/party.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

/** Who controls a record, who may recover it, and what waits. */
export async function listDevices(call: Call<ActingOptions>): Promise<number> {
  const { screen } = call
  return withParty(call, call.args[0] ?? '', async ({ chain, connection, device }) => {
    const [record, access] = await bothChains(connection, chain)
    if (!record) throw refuse('NOT_FOUND', 'no such record')
    const { state } = record.link
    const now = screen.terminal.now()
    const differs = access !== undefined && !isSameLists(state, access.link.state)
    const waiting = recoveriesOf(record).map((step) => shownStep(step, now))
    const waitsThere = access ? recoveriesOf(access).length : 0
    const own = device ? fingerprintOf(device.keys.member.kid) : null
    const devices = [...devicesOf(state.controllers), ...devicesOf(state.recovery)]
    screen.print(
      {
        ok: !differs,
        chain,
        controllers: namesIn(record, 'controllers'),
        recovery: namesIn(record, 'recovery'),
        pending: waiting,
        access: { differs, pending: waitsThere },
        own,
      },
      [
        `Record ${shortId(chain)}`,
        ...listLines(state),
        ...(own === null
          ? []
          : [
              `  This device      ${own}${devices.some(({ kid }) => fingerprintOf(kid) === own) ? '' : ', which is not listed'}`,
            ]),
        ...waiting.map(({ says }) => `  ${says}`),
        ...(differs || (access && waitsThere !== waiting.length)
          ? ['Its access chain says something else: repeat what was done last, which then does what is left.']
          : []),
      ],
    )
    return EXIT.ok
  })
}

function namesIn({ link }: Replica, which: 'controllers' | 'recovery') {
  const list = link.state[which]
  return (
    list && {
      threshold: list.threshold,
      members: list.members.map((member) =>
        member.kind === 'device'
          ? { device: fingerprintOf(member.kid) }
          : { institution: member.institution },
      ),
    }
  )
}

function shownStep({ height, notBefore, identified, frozen }: PendingRecovery, now: number) {
  const isRipe = timestampMs(notBefore) <= now
  const when = isRipe ? 'can be completed now' : `can be completed from ${localTime(notBefore)} on`
  const who = identified
    ? 'An institution saw who asks: who is to be removed cannot cancel it, and changes nothing meanwhile.'
    : 'Nobody vouched for it: every controller can cancel it.'
  return {
    block: height,
    notBefore,
    identified,
    frozen: frozen.length,
    says: `Recovery requested in block ${height}: ${when}. ${who}`,
  }
}

/** What a device can read of a record: how much, and with --out the contents. */
export async function readRecord(call: Call<ActingOptions & { readonly out?: string }>): Promise<number> {
  const { screen, options } = call
  const { out } = options
  if (out !== undefined && out !== '-') checkNew(out)
  return withParty(call, call.args[0] ?? '', async ({ chain, connection }) => {
    const view = await connection.read(chain)
    const lines = linesOf(view)
    if (out === '-') {
      screen.terminal.out.write(lines)
      return EXIT.ok
    }
    if (out !== undefined && !createFile(out, lines))
      throw refuse('ALREADY_EXISTS', `${out} is there already`)
    const { height, opened, closed } = view
    screen.print(
      { ok: true, chain, height, opened: opened.length, closed: closed.length, file: out ?? null },
      [
        `${counted(opened.length, 'entry', 'entries')} in ${counted(height + 1, 'block')}${closed.length === 0 ? '' : `, and ${closed.length} that do not open`}.`,
        ...(out === undefined
          ? [`Their contents: npx ampere device read ${shortId(chain)} --out FILE`]
          : [`Their contents are in ${out}, which everybody can read who gets the file.`]),
      ],
    )
    return EXIT.ok
  })
}

/** One JSON object a line: height, time, compartment, header and content. */
function linesOf({ opened }: RecordView): string {
  return opened
    .map(
      ({ height, time, compartmentName, header, content }) =>
        `${JSON.stringify({ height, time, compartment: compartmentName, header: fromUtf8(header), content: fromUtf8(content) })}\n`,
    )
    .join('')
}
