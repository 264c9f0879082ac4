// SPDX-License-Identifier: Apache-2.0
import { unzipSync } from 'fflate'
import { startFake, type Answered, type Asked, type Break, type FakeServer } from './fake-server.ts'

/** A fake of where function apps take their packages, for all apps at once: the host's name is the first part of the path. */
export interface FakeScm extends FakeServer {
  /** Files of the newest package of each app, by the app's name. */
  readonly packages: ReadonlyMap<string, Readonly<Record<string, Uint8Array>>>
  /** What it says before it takes a package, of each app: rights that do not count yet. */
  readonly first: Answered[]
  /** How deployments end. */
  ends: number
}

/** Between being taken and being in place, a deployment is looked at so often. */
const LOOKS = 2

/**
 * Known of the real service, and so here: a package is a zip that is sent to /api/publish with RemoteBuild and Deployer; it is taken with
 * 202, and /api/deployments/latest says how far it is: 4 is done, 3 failed; before the first there is none.
 */
export async function startFakeScm(token: string, breaks: (asked: Asked) => Break): Promise<FakeScm> {
  const packages = new Map<string, Readonly<Record<string, Uint8Array>>>()
  const looks = new Map<string, number>()
  const refusals = new Map<string, Answered[]>()
  const settings: { first: Answered[]; ends: number } = { first: [], ends: 4 }
  const answer = ({ method, path, query, authorization, contentType, bytes }: Asked): Answered => {
    const [, host = '', ...rest] = path.split('/')
    const [app = ''] = host.split('.')
    if (authorization !== `Bearer ${token}`) return { status: 401 }
    if (method === 'POST' && rest.join('/') === 'api/publish') {
      if (contentType !== 'application/zip' || query.get('RemoteBuild') !== 'false' || !query.get('Deployer'))
        return { status: 400 }
      const left = refusals.get(app) ?? [...settings.first]
      refusals.set(app, left)
      const no = left.shift()
      if (no) return no
      packages.set(app, unzipSync(bytes))
      looks.set(app, 0)
      return { status: 202, body: { id: app } }
    }
    if (method !== 'GET' || rest.join('/') !== 'api/deployments/latest') return { status: 404 }
    const look = looks.get(app)
    if (look === undefined) return { status: 404 }
    looks.set(app, look + 1)
    return { status: 200, body: { status: look < LOOKS ? 1 : settings.ends, status_text: 'of the fake' } }
  }
  return Object.assign(settings, await startFake(answer, breaks), { packages })
}
