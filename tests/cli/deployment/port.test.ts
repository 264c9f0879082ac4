// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { choosePort } from '#cli/deployment/port.ts'

const originAt = (port: number) => `http://127.0.0.1:${port}`

it('passes over the addresses of others, though nobody is served there now', async () => {
  const first = await choosePort(undefined)
  expect(await choosePort(undefined, new Set([originAt(first)]))).toBeGreaterThan(first)
})

it('refuses a given port that is another one’s, and says what to do', async () => {
  await expect(choosePort(19993, new Set([originAt(19993)]))).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    next: 'choose another: --port PORT',
  })
})
