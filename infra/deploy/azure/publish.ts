// SPDX-License-Identifier: Apache-2.0
import { zipSync, type Zippable } from 'fflate'
import { API } from '#infra/azure/references.ts'
import { failure } from '../failure.ts'
import { openRest, type Answer, type Arm, type Connection, type Rest } from './arm.ts'
import { errorIn, refusal } from './failure.ts'

/** Who publishes: the service's own audience, beside that of ARM. */
const PUBLISHING = {
  scope: 'https://appservice.azure.com/.default',
  hosts: /^[a-z0-9.-]+\.azurewebsites\.net$/i,
}
/** What deployments of an app end with (Kudu's DeployStatus, as Flex Consumption has it). */
const DONE = 4
const FAILED: readonly unknown[] = [3, -1, 5, 6]
/** Rights of a new app count after minutes only. Between two tries, and for how long at most, in milliseconds. */
const AGAIN_MS = 10_000
const AGAIN_FOR_MS = 900_000
const LOOK_MS = 2000
const LOOK_FOR_MS = 600_000
/** The same bytes give the same package. */
const ZIP_TIME = '1980-01-01T00:00:00'

/** Files of a package by name. The same files give the same bytes. */
export function packageOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const sorted = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return zipSync(Object.fromEntries(sorted) as Zippable, { level: 6, mtime: ZIP_TIME })
}

/** Publishes packages to function apps by their ids. @throws DeployFailure */
export function openPublisher(
  arm: Arm,
  connection: Connection,
): (site: string, bytes: Uint8Array) => Promise<void> {
  const rest = openRest(connection, PUBLISHING)
  return async (site, bytes) => {
    const host = await scmHostOf(arm, site)
    const name = site.split('/').at(-1) ?? site
    await sent(rest, host, name, bytes, connection)
    await arrived(rest, host, name, connection)
  }
}

/** Where packages for an app are taken: a host of its own, which is not always named after the app. */
async function scmHostOf(arm: Arm, site: string): Promise<string> {
  const { properties } = (await arm.get(site, API.web)) as {
    properties?: { hostNameSslStates?: readonly { name?: string; hostType?: string }[] }
  }
  const host = properties?.hostNameSslStates?.find(({ hostType }) => hostType === 'Repository')?.name
  if (host !== undefined) return host
  throw failure(`${site.split('/').at(-1)} does not say where packages are taken`, 'run this again')
}

/** Until it is taken: 400 and 403 while rights do not count yet, 409 while another is published. */
async function sent(
  rest: Rest,
  host: string,
  name: string,
  bytes: Uint8Array,
  { pause }: Connection,
): Promise<void> {
  const url = `https://${host}/api/publish?RemoteBuild=false&Deployer=ampere`
  for (let waited = 0; ; waited += AGAIN_MS) {
    const answer = await rest({ method: 'POST', url, bytes, contentType: 'application/zip' })
    if (answer.status < 300) return
    if (![400, 403, 409].includes(answer.status) || waited >= AGAIN_FOR_MS) throw refusedBy(name, answer)
    await pause(AGAIN_MS)
  }
}

function refusedBy(name: string, { body, status }: Answer) {
  const error = refusal(`the package of ${name}`, errorIn(body, status))
  return status === 400 || status === 403
    ? failure(
        `${name} does not take its package (${status})`,
        'whoever deploys needs the role Website Contributor, and the app its own on its account; run this again',
        error.cause,
      )
    : error
}

/** Until the newest deployment of the app has ended; before it has begun there is none. */
async function arrived(rest: Rest, host: string, name: string, { pause }: Connection): Promise<void> {
  const url = `https://${host}/api/deployments/latest`
  for (let waited = 0; waited <= LOOK_FOR_MS; waited += LOOK_MS) {
    const answer = await asked(rest, url)
    const { status, status_text: says } = (answer ?? {}) as { status?: unknown; status_text?: unknown }
    if (status === DONE) return
    if (FAILED.includes(status))
      throw failure(
        `the package of ${name} was not taken over (status ${String(status)})`,
        'look at its deployments in the portal, then run this again',
        new Error(typeof says === 'string' ? says : 'no reason given'),
      )
    await pause(LOOK_MS)
  }
  throw failure(
    `the package of ${name} is not in place after ${LOOK_FOR_MS / 60_000} minutes`,
    'run this again',
  )
}

/** Null for an answer that says nothing of the deployment: the app starts anew meanwhile. */
async function asked(rest: Rest, url: string): Promise<unknown> {
  const { status, body } = await rest({ method: 'GET', url })
  return status === 200 || status === 202 ? body : null
}
