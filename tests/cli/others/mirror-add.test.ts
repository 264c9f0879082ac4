// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { serve, type ServerType } from '@hono/node-server'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setUp } from '#cli/deployment/set-up.ts'
import type { Settings } from '#cli/deployment/settings.ts'
import { openHome, type OpenHome } from '#cli/open/home.ts'
import { readMirrored } from '#cli/open/mirror.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { freshFolder, testPort } from '../harness.ts'
import { told } from '../told.ts'

const folder = freshFolder()
const port = testPort(71)
const origin = `http://127.0.0.1:${port}`
const PASSPHRASE = 'of a test that protects nothing'
let settings: Settings
let home: OpenHome
let server: ServerType
/** As what the home names itself, in an answer that nobody signed. */
let named: string | null = null

beforeAll(async () => {
  const institutions = ['hospital-a'].map((id) => ({ id, name: id }))
  const keep = async (there: string) => {
    mkdirSync(there, { recursive: true })
    writeFileSync(join(there, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 })
    return PASSPHRASE
  }
  const passphrase = { kind: 'generated' } as const
  settings = await setUp(folder, { origin, institutions, demo: true, passphrase }, keep)
  home = await openHome(folder, settings, PASSPHRASE, silentLog)
  const between = async (request: Request): Promise<Response> => {
    const response = await home.fetch(request)
    if (new URL(request.url).pathname !== '/.well-known/ampere' || named === null) return response
    return Response.json({ ...((await response.json()) as object), deployment: named })
  }
  await new Promise<void>((resolve) => {
    server = serve({ fetch: between, hostname: '127.0.0.1', port: Number(port) }, () => resolve())
  })
}, 60_000)
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  await home.platform.close()
})

describe('ampere mirror add', () => {
  it('mirrors a home only under the name that its registry gives it', async () => {
    const policy = join(folder, 'log.txt')
    writeFileSync(policy, settings.log.map((key) => `log ${key}\n`).join(''))
    const add = ['mirror', 'add', origin, '--policy', policy]
    named = 'home-2'
    expect(await told(folder, ...add)).toMatchObject({
      exit: 3,
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('rule deployment:'),
    })
    expect(readMirrored(folder)).toEqual([])
    named = null
    expect(await told(folder, ...add)).toMatchObject({ exit: 0, deployment: settings.deployment })
    expect(readMirrored(folder)).toMatchObject([{ deployment: settings.deployment, origin }])
  })
})
