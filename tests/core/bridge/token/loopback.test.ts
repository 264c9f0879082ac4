// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { bundle, JSON_TYPE, patient, send, type Json } from '../requests.ts'
import { register, tokenOf, tokenWorld, type TokenWorld } from './world.ts'

let at: TokenWorld
beforeAll(async () => {
  at = await tokenWorld({ requireLogin: false })
})

const read = (headers: Record<string, string> = {}) =>
  send(at.world, 'GET', '/fhir/Patient/p1', undefined, headers)

describe('on this computer', () => {
  it('whoever asks may do everything, until a client is registered; then tokens decide', async () => {
    expect((await send(at.world, 'POST', '/fhir', bundle('transaction', [patient('p1')]))).status).toBe(200)
    expect((await read()).status).toBe(200)
    expect((await read({ authorization: 'Bearer nothing' })).status).toBe(401)
    await register(at.world)
    expect((await read()).status).toBe(401)
    expect((await read({ authorization: `Bearer ${await tokenOf(at, 'system/Patient.r')}` })).status).toBe(
      200,
    )
    expect((await read({ authorization: `Bearer ${await tokenOf(at, 'system/Device.r')}` })).status).toBe(403)
    // A client that may do nothing any more is registered still: suspending one must not open the door.
    await at.world.bridge.ports.store.clients.suspend('ehr')
    expect((await read()).status).toBe(401)
    await at.world.bridge.ports.store.clients.remove('ehr')
    expect((await read()).status).toBe(200)
  })

  it('the access log has the client as it is known, and what it says of its user as a claim', async () => {
    await register(at.world)
    const headers = {
      ...JSON_TYPE,
      authorization: `Bearer ${await tokenOf(at)}`,
      'x-ampere-user': 'dr-x',
      'x-ampere-role': 'privacy officer',
      'x-ampere-purpose': 'ETREAT',
    }
    expect((await read(headers)).status).toBe(200)
    await at.world.flush()
    const { chain } = await at.world.bridge.record('p1')
    const access = await at.world.bridge.ports.client.accessChainOf(chain)
    if (!access) throw new Error('there is no access chain')
    const { opened } = await at.world.connection.read(access)
    const events = opened.map(({ content }) => JSON.parse(new TextDecoder().decode(content)) as Json)
    expect(events.find(({ purpose }) => purpose === 'ETREAT')).toMatchObject({
      user: 'client:ehr',
      role: 'client',
      claims: { user: 'dr-x', role: 'privacy officer' },
      what: 'read Patient',
    })
  })

  it('what is said of the user has a length', async () => {
    const authorization = `Bearer ${await tokenOf(at)}`
    expect((await read({ authorization, 'x-ampere-user': 'x'.repeat(257) })).status).toBe(400)
    expect((await read({ authorization, 'x-ampere-user': 'x'.repeat(256) })).status).toBe(200)
  })
})
