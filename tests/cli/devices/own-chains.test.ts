// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asChainId } from '#core/bytes/ids.ts'
import type { Proposal } from '#core/client/devices/proposal.ts'
import { AmpereError } from '#core/errors.ts'
import { resealedIn } from '#cli/device/described.ts'
import { isAboutRecord, type ReadRecord } from '#cli/device/own-chains.ts'

const chain = (letter: string) => asChainId(letter.repeat(42) + 'A')
const [record, access, other, otherAccess] = [chain('a'), chain('b'), chain('c'), chain('d')]
const proposal = (...chains: readonly string[]) =>
  ({ steps: chains.map((each) => ({ chain: each })) }) as unknown as Proposal
const readable = (of: ReadRecord['chain'], its: ReadRecord['chain'] | null): ReadRecord => ({
  chain: of,
  read: async () => ({ link: { state: { access: its } } }),
})
const hidden: ReadRecord = {
  chain: record,
  read: () => Promise.reject(new AmpereError('NOT_FOUND', 'no such chain')),
}
const others = () => [hidden, readable(other, otherAccess)]

describe('a proposal that a device is asked to approve', () => {
  it.each([
    ['a record alone', hidden, proposal(record), true],
    ['it and its access chain', readable(record, access), proposal(record, access), true],
    ['it and another record', readable(record, access), proposal(record, other), false],
    ['it and the access chain of another', readable(record, access), proposal(record, otherAccess), false],
    ['it and a second chain where it has none', readable(record, null), proposal(record, access), false],
    ['one that is not shown yet, and a chain of its own', hidden, proposal(record, access), true],
    ['one that is not shown yet, and another record', hidden, proposal(record, other), false],
    [
      'one that is not shown yet, and the access chain of another',
      hidden,
      proposal(record, otherAccess),
      false,
    ],
  ])('is about %s', async (_, own, asked, is) => {
    expect(await isAboutRecord(asked, own, others)).toBe(is)
  })
})

it('tells a device or sheet that a proposal lists with another sealing key than the record', () => {
  const device = (kid: string, sealing: string) => ({ kind: 'device', kid, sealing })
  const list = (...members: readonly object[]) => ({ threshold: 1, members })
  const before = [{ controllers: list(device('phone', 'own')), recovery: list(device('sheet', 'paper')) }]
  const asked = (sheet: object) =>
    ({
      steps: [
        { body: { controllers: list(device('phone', 'own'), device('new', 'x')), recovery: list(sheet) } },
      ],
    }) as unknown as Proposal
  expect(resealedIn(asked(device('sheet', 'paper')), before as never)).toEqual([])
  expect(resealedIn(asked(device('sheet', "the desk's")), before as never)).toEqual(['sheet'])
})
