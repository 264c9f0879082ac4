// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../harness.ts'

describe('sending', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'ampere-send-')), 'patient.json')
  let server: Server
  let base = ''
  let requests = 0

  beforeAll(async () => {
    writeFileSync(file, JSON.stringify({ resourceType: 'Patient', id: 'p1' }))
    server = createServer((request, response) => {
      requests++
      request.resume()
      response.statusCode = Number(request.url?.split('/')[1])
      response.end(response.statusCode === 204 ? undefined : '<html>Welcome</html>')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.close()
  })

  it.each([200, 404, 405])(
    'to a web page that answers %i is said to reach no FHIR server',
    async (status) => {
      requests = 0
      const { code, out, err } = await run(['send', file, '--to', `${base}/${status}`])
      expect({ code, out, requests }).toEqual({ code: 1, out: '', requests: 1 })
      expect(err).toContain(`answers (HTTP ${status}), but not as a FHIR server (UPSTREAM_FAILED)`)
      expect(err).toContain('Next: correct --to')
    },
  )

  it('counts a success without a body, and what a gateway refuses as refused', async () => {
    expect(await run(['send', file, '--to', `${base}/204`])).toMatchObject({ code: 0 })
    expect((await run(['send', file, '--to', `${base}/401`])).out).toContain('refused  401')
  })
})
