// SPDX-License-Identifier: Apache-2.0

/** Emulators have no TLS, and a client sends nothing to a store without: it is told their addresses as if they had. */
export async function told(answer: Response): Promise<Response> {
  if (!answer.headers.get('content-type')?.startsWith('application/json')) return answer
  const text = (await answer.text()).replace(/"url":"http:\/\/(?=127\.|localhost)/, '"url":"https://')
  return new Response(text, answer)
}

/** What a client then sends, to where the emulator is. */
export async function plain(request: Request): Promise<Request> {
  const { url, method, headers } = request
  return new Request(url.replace(/^https:/, 'http:'), { method, headers, body: await request.arrayBuffer() })
}
