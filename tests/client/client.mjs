// Calls the functions as a page does, through supabase-js, and prints what it got as one JSON line.
// Settings come from the environment: NEXT_PUBLIC_SUPABASE_URL (the host), SYNCLINE_TOKEN (a user's token).
import { createClient } from '@supabase/supabase-js'

const { NEXT_PUBLIC_SUPABASE_URL, SYNCLINE_TOKEN } = process.env

// The functions run beside the project, not inside it: calls to `/functions/v1/` go to our host.
const toOurHost = (input, init) => {
  const url = new URL(typeof input === 'string' ? input : input.url)
  return fetch(new URL(url.pathname + url.search, NEXT_PUBLIC_SUPABASE_URL), init)
}
const connect = (token) =>
  createClient('http://127.0.0.1:1', 'sb_publishable_of_the_tests', {
    accessToken: async () => token,
    global: { fetch: toOurHost },
  })

const told = async ({ data, error }) => ({
  data,
  error: error && { name: error.name, status: error.context?.status, body: await error.context?.json?.() },
})

const user = connect(SYNCLINE_TOKEN)
const stranger = connect('not-a-token')
const answers = {
  sync: await told(await user.functions.invoke('delta-sync', { body: {} })),
  textBody: await told(await user.functions.invoke('delta-sync', { body: '{"itemType":"product"}' })),
  noBody: await told(await user.functions.invoke('delta-sync')),
  unknownField: await told(await user.functions.invoke('delta-sync', { body: { nonsense: 1 } })),
  foreignItem: await told(
    await user.functions.invoke('delta-sync', { body: { syncListIds: ['00000000-0000-4000-8000-000000000000'] } }),
  ),
  badToken: await told(await stranger.functions.invoke('delta-sync', { body: {} })),
  history: await told(await user.functions.invoke('sync-history?limit=1', { method: 'GET' })),
}

const preflight = await fetch(new URL('/functions/v1/delta-sync', NEXT_PUBLIC_SUPABASE_URL), {
  method: 'OPTIONS',
  headers: {
    origin: 'https://shop.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'apikey,authorization,content-type,x-client-info,x-region,idempotency-key',
  },
})
answers.preflight = {
  status: preflight.status,
  origin: preflight.headers.get('access-control-allow-origin'),
  headers: preflight.headers.get('access-control-allow-headers'),
}
console.log(JSON.stringify(answers))
