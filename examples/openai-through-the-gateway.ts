/**
 * The official OpenAI client through the gateway. Start `npm start` (or `holdfast serve`) first, then run it:
 * node --import tsx examples/openai-through-the-gateway.ts
 */
import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: process.env['LLM_BASE_URL'] ?? 'http://127.0.0.1:8080/llm/v1',
  apiKey: process.env['OPENAI_API_KEY'] ?? 'demo',
  maxRetries: 0, // the gateway is the one owner of retries
})

const stream = await client.chat.completions.create({
  model: 'demo',
  stream: true,
  messages: [{ role: 'user', content: 'Say something reliable.' }],
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
process.stdout.write('\n')
