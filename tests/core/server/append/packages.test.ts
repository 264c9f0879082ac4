// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

describe('packages', () => {
  it('of a rotation that never committed do not stand in the way of the next one', async () => {
    const wrapped: { faults?: ReturnType<typeof withFaults> } = {}
    const world = await testDeployment(['hospital-a'], {
      platform: (base) => (wrapped.faults = withFaults(base)).platform,
    })
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    wrapped.faults?.plan((_, name) => (name === 'table.blocks.insert' ? 'not-applied' : null))
    await expect(rotateChain(a, record)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    wrapped.faults?.plan(() => null)
    await rotateChain(a, record)
    await a.append(record, [entry('after')])
    const view = await world.connect('hospital-a').read(record)
    expect({ opened: view.opened.length, closed: view.closed }).toEqual({ opened: 1, closed: [] })
  })

  it('of a grant that is widened within an epoch reach its reader', async () => {
    const world = await testDeployment(['hospital-a', 'hospital-b'])
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general', 'genetic'])
    await a.append(record, [entry('one'), { ...entry('two'), compartment: 'genetic' }])
    const replica = await a.replica(record)
    const keyring = await a.keyring(replica)
    const ids = replica.link.state.compartments.map((item) => item.id)
    const general = ids.filter((id) => keyring.nameOf(id) === 'general')
    const grant = (compartments: typeof ids) => ({
      institution: world.institution('hospital-b').id,
      rights: ['read' as const],
      compartments,
      until: null,
      limits: null,
    })
    await changeChain(a, record, { grant: [grant(general)] })
    await changeChain(a, record, { grant: [grant(ids)] })
    const view = await world.connect('hospital-b').read(record)
    expect(view.opened.length).toBe(2)
  })
})
