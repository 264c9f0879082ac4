// SPDX-License-Identifier: Apache-2.0
import type { Context } from 'hono'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { parseWith } from '#core/bytes/schema.ts'
import { uploadRequest, type UploadRequest } from '#core/api/large/upload.ts'
import { AmpereError, isAmpereError } from '#core/errors.ts'
import type { AppendPorts } from '#core/server/append/needs.ts'
import type { Home } from '#core/server/home.ts'
import { findChain } from '#core/server/read/read-chain.ts'
import { offerUpload } from '#core/server/upload/offer.ts'
import { receiveUpload } from '#core/server/upload/receive.ts'
import { callerOf } from '../host/caller.ts'
import { route, type Route } from '../host/operation.ts'
import * as operations from './upload-operations.ts'

/** The routes by which large objects come in. */
export function uploadRoutes(ports: AppendPorts, home: Home): readonly Route[] {
  return [
    route(operations.offerUpload, async (c, { body }) => {
      const asked = parseRequest(body)
      const state = await stateOf(ports, asked)
      // Authenticated first, so that a stranger learns nothing about which chains exist.
      const caller = await callerOf(c, home, ports.now, state, body)
      if (!state) throw new AmpereError('NOT_FOUND', 'no such chain')
      return c.json(await offerUpload(ports, home, asked, { caller, state }), 201)
    }),
    route(operations.putUpload, async (c, { body }) => {
      const { isNew, upload, bytes } = await receiveUpload(ports, urlOf(c), body)
      return c.json({ upload, bytes }, isNew ? 201 : 200)
    }),
  ]
}

function urlOf(c: Context): URL {
  return new URL(c.req.url)
}

function parseRequest(body: Uint8Array): UploadRequest {
  let json: unknown
  try {
    json = JSON.parse(fromUtf8(body))
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', 'upload: the request is not JSON', { cause })
  }
  return parseWith(uploadRequest, json, 'REQUEST_MALFORMED', 'upload')
}

async function stateOf(ports: AppendPorts, { chain }: UploadRequest) {
  try {
    return (await findChain(ports, chain)).state
  } catch (error) {
    if (isAmpereError(error, 'NOT_FOUND')) return null
    throw error
  }
}
