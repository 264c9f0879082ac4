// SPDX-License-Identifier: Apache-2.0
import type { Kid } from '#core/bytes/ids.ts'
import type { Controllers } from '#core/block/block.ts'
import { fingerprintOf } from '#core/client/devices/keys.ts'
import type { Lists } from '#core/client/devices/lists.ts'
import type { Proposal } from '#core/client/devices/proposal.ts'
import { devicesOf } from '#core/chain/state.ts'
import { listed, localTime } from '../terminal/words.ts'

/** Who is on a list, in words. */
export function membersIn({ threshold, members }: Controllers): string {
  const names = members.map((member) =>
    member.kind === 'institution' ? member.institution : `device ${fingerprintOf(member.kid)}`,
  )
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

/** What a proposal would do, in lines. Of its steps the first is the record's; the access chain's is the same. */
export function proposalLines({ steps, expires }: Proposal): string[] {
  return steps.flatMap((step, i) => {
    const which = i === 0 ? `Record ${step.chain.slice(0, 8)}` : `Its access chain ${step.chain.slice(0, 8)}`
    const { controllers, recovery } = step.body
    const unchanged = 'as now'
    return [
      step.type === 'recover'
        ? `${which}: recovery, which can be completed from ${localTime(step.body.notBefore)} on`
        : `${which}: a change of who controls it`,
      `  Controlled by    ${controllers ? membersIn(controllers) : unchanged}`,
      `  Recovered by     ${recovery === undefined ? unchanged : recovery ? membersIn(recovery) : 'nobody'}`,
      ...(i === steps.length - 1 ? [`To be made by ${localTime(expires)}.`] : []),
    ]
  })
}

/** Key ids of devices that a proposal lists and the lists before do not. */
export function newDevicesIn({ steps }: Proposal, before: readonly Lists[]): readonly Kid[] {
  const known = new Set(before.flatMap(devicesOfLists))
  return [...new Set(steps.flatMap(({ body }) => devicesOfLists(body)))].filter((kid) => !known.has(kid))
}

function devicesOfLists(lists: {
  readonly controllers: Controllers | null
  readonly recovery?: Controllers | null | undefined
}) {
  return [...devicesOf(lists.controllers), ...devicesOf(lists.recovery ?? null)].map(({ kid }) => kid)
}
