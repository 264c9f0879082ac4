// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { copyOf, freshFolder, run, runProcess, serveProcess, testPort } from '../harness.ts'

const demo = freshFolder()
const port = testPort(3)

/** Takes a port of this computer, as another program would. */
async function take(wanted: number): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve))
  return server
}

beforeAll(async () => {
  const told = await run(['start', '--demo', '--no-witness', '--once', '--data', demo, '--port', port])
  expect(told).toMatchObject({ code: 0, out: expect.stringContaining('Try   npx ampere findings') })
  // Nothing is served any more that could be asked.
  expect(told.out).not.toContain('curl')
}, 60_000)

describe('a port that another program has', () => {
  let other: Server
  afterAll(() => {
    other.close()
  })

  it('is said so before anything is set up, when it was asked for', async () => {
    other = await take(0)
    const taken = String((other.address() as AddressInfo).port)
    const folder = freshFolder()
    const ended = await run(['start', '--demo', '--no-witness', '--data', folder, '--port', taken])
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('(PORT_IN_USE)') })
    expect((await run(['chain', 'list', '--data', folder])).err).toContain('there is no deployment')
  })

  it('is said so with what to do, when it is the one that the registry names', async () => {
    const holder = await take(Number(port))
    try {
      const ended = await run(['start', '--no-witness', '--data', copyOf(demo)])
      expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('(PORT_IN_USE)') })
      expect(ended.err).toContain('Next: end what uses the port')
    } finally {
      holder.close()
    }
    expect((await run(['verify', '--all', '--data', demo])).code).toBe(0)
  }, 30_000)
})

describe('another port for a deployment that is there', () => {
  it('is refused with what to do', async () => {
    const ended = await run(['start', '--no-witness', '--data', demo, '--port', testPort(46)])
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('its port cannot change') })
    expect(ended.err).toContain('Next: leave --port out')
  })
})

describe('a deployment that is served already', () => {
  it('is not served twice, answers commands meanwhile, and is free again when it was stopped', async () => {
    const folder = copyOf(demo)
    const serving = await serveProcess(['start', '--no-witness', '--data', folder])
    const again = await run(['start', '--no-witness', '--data', folder])
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('(STORE_LOCKED)') })
    expect(await run(['verify', '--all', '--data', folder])).toMatchObject({ code: 0 })
    expect(await serving.stop()).toMatchObject({ code: 0 })
    expect(await run(['start', '--no-witness', '--once', '--data', folder])).toMatchObject({ code: 0 })
  }, 60_000)
})

const onLinux = process.platform === 'linux' ? describe : describe.skip
onLinux('a data folder that cannot be made', () => {
  it('is said at once, with what to do', async () => {
    const ended = await runProcess(['start', '--demo', '--no-witness', '--once', '--data', '/proc/x'])
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('/proc/x cannot be made') })
    expect(ended.err).toContain('Next: choose another folder: --data FOLDER')
  }, 30_000)
})
