// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '#core/ports/keys.ts'
import type { RegistryBlock, RegistryChange } from '#core/registry/block.ts'
import type { RegistryLink } from '#core/registry/reduce.ts'
import {
  approve,
  draftChange,
  draw,
  enrolment,
  EXPIRES,
  seal,
  type Founded,
} from '#tests/core/registry/members.ts'
import type { Chooser } from './registry-attempts.ts'

const ENDS = ['2026-12-31T08:00:00.000Z', '2026-11-02T08:00:00.000Z', '2028-01-01T08:00:00.000Z']

/** A renewal by an instance that expires or does not, right or wrong in one of the ways that a rule is about. */
export async function renewalOn(
  world: Founded,
  parent: RegistryLink,
  { one, happens }: Chooser,
  expiring: Signer,
): Promise<string> {
  const fresh = one([await draw(world.random), await draw(world.random), await draw(world.random), expiring])
  const { key } = enrolment(one(['b', 'b', 'b', 'a']), one(['b-2', 'b-2', 'b-2', 'b-1']), fresh)
  const until = one([...ENDS, ...ENDS, ENDS[0], '2026-10-01T08:00:00.000Z']) as RegistryBlock['time']
  const renew = { act: 'renew' as const, key, expires: until }
  const changes: RegistryChange[] = happens(90) ? [renew] : [renew, { ...renew, expires: EXPIRES }]
  const approvals = happens(95) ? [] : [await approve(parent, changes, world.member('a').root)]
  const draft = draftChange(parent, changes, approvals)
  const time = one([
    draft.time,
    draft.time,
    draft.time,
    '2026-12-01T08:00:00.001Z',
    '2026-12-01T08:00:00.000Z',
  ])
  const { root, instance } = world.member('b')
  const author = one([
    expiring,
    expiring,
    expiring,
    expiring,
    expiring,
    root,
    instance,
    world.member('a').instance,
  ])
  return seal(parent, { ...draft, time: time as RegistryBlock['time'] }, author)
}
