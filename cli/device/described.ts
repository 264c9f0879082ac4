// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '#core/bytes/ids.ts'
import type { Controllers } from '#core/block/block.ts'
import { fingerprintOf } from '#core/client/devices/keys.ts'
import type { Lists } from '#core/client/devices/lists.ts'
import type { Proposal } from '#core/client/devices/proposal.ts'
import { devicesOf } from '#core/chain/state.ts'
import { listed, localTime } from '../terminal/words.ts'

const NONE: ReadonlySet<Kid> = new Set()

/** Who is on a list, in words; of devices in `unnamed` not which ones, for whoever is to type that. */
export function membersIn({ threshold, members }: Controllers, unnamed = NONE): string {
  const names = members.map((member) => {
    if (member.kind === 'institution') return member.institution
    return unnamed.has(member.kid) ? 'a new device' : `device ${fingerprintOf(member.kid)}`
  })
  const many =
    members.length === 1 ? '' : threshold === 1 ? ', each alone' : `, ${threshold} of them together`
  return `${listed(names)}${many}`
}

/** Who controls a record and who may recover it, in lines. */
export function listLines({ controllers, recovery }: Lists): string[] {
  return [
    `  Controlled by    ${membersIn(controllers)}`,
    `  Recovered by     ${recovery ? membersIn(recovery) : 'nobody'}`,
  ]
}

/** What a proposal would do, in lines. */
export function proposalLines({ steps, expires }: Proposal, unnamed = NONE): string[] {
  const said = steps.map((step) => stepLines(step, unnamed))
  const [record = [], access] = said
  const isSame = access?.join() === record.join()
  return [
    `Record ${steps[0]?.chain.slice(0, 8) ?? ''}`,
    ...record,
    ...(access
      ? [isSame ? 'Its access chain: the same' : 'Its access chain', ...(isSame ? [] : access)]
      : []),
    `To be made by ${localTime(expires)}.`,
  ]
}

function stepLines({ type, body }: Proposal['steps'][number], unnamed: ReadonlySet<Kid>): string[] {
  const { controllers, recovery } = body
  return [
    type === 'recover'
      ? `  Recovery, which can be completed from ${localTime(body.notBefore)} on`
      : '  A change of who controls it',
    `  Controlled by    ${controllers ? membersIn(controllers, unnamed) : 'as now'}`,
    `  Recovered by     ${recovery === undefined ? 'as now' : recovery ? membersIn(recovery, unnamed) : 'nobody'}`,
  ]
}

/** Key ids of devices that a proposal lists and the lists before do not. */
export function newDevicesIn({ steps }: Proposal, before: readonly Lists[]): readonly Kid[] {
  const known = new Set(before.flatMap(devicesOfLists))
  return [...new Set(steps.flatMap(({ body }) => devicesOfLists(body)))].filter((kid) => !known.has(kid))
}

/** Key ids of devices that are listed already, and that a proposal lists with another sealing key: their fingerprint is the same. */
export function resealedIn({ steps }: Proposal, before: readonly Lists[]): readonly Kid[] {
  const sealing = new Map(
    before.flatMap(({ controllers, recovery }) =>
      [...devicesOf(controllers), ...devicesOf(recovery)].map((device) => [device.kid, device.sealing]),
    ),
  )
  const listedIn = steps.flatMap(({ body }) => [
    ...devicesOf(body.controllers),
    ...devicesOf(body.recovery ?? null),
  ])
  return listedIn.flatMap(({ kid, sealing: next }) => ((sealing.get(kid) ?? next) === next ? [] : [kid]))
}

function devicesOfLists(lists: {
  readonly controllers: Controllers | null
  readonly recovery?: Controllers | null | undefined
}) {
  return [...devicesOf(lists.controllers), ...devicesOf(lists.recovery ?? null)].map(({ kid }) => kid)
}
