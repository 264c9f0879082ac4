// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { PAIRING_MS } from '#core/bridge/store/pairing.ts'
import { testBridge } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { HOME } from '#tests/fault/each-call.ts'

async function desk() {
  const deployment = await testDeployment(['hospital-a', 'hospital-b'])
  const { store } = testBridge(deployment, 'hospital-a').bridge.ports
  const { record } = await createRecord(deployment.connect('hospital-a'), HOME, ['general'])
  return { deployment, store, record, code: await store.deviceCodes.issue(record) }
}

describe('a code for a device', () => {
  it('serves one device, again when its answer was lost, and no other one', async () => {
    const { store, record, code } = await desk()
    expect(await store.deviceCodes.redeem(code.toLowerCase(), 'phone')).toMatchObject({ chain: record })
    expect(await store.deviceCodes.redeem(code, 'phone')).toMatchObject({ chain: record })
    await expect(store.deviceCodes.redeem(code, 'stranger')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('lets no institution join the record, and a pairing code no device', async () => {
    const { store, record, code } = await desk()
    await expect(store.pairing.redeem(code, 'hospital-b')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const other = await store.pairing.issue(record)
    await expect(store.deviceCodes.redeem(other, 'phone')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('expires after a day', async () => {
    const { deployment, store, code } = await desk()
    deployment.clock.now += PAIRING_MS + 1
    await expect(store.deviceCodes.redeem(code, 'phone')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
