import { Message, TextBlock, type Model } from '@strands-agents/sdk';

/** What the model is asked for, without tools. */
export interface PlainQuestion {
  readonly systemPrompt: string;
  readonly text: string;
  /** So many characters of the answer are read at most. */
  readonly maximumLength: number;
  readonly signal: AbortSignal;
}

/** The model's answer to one question. @throws what `asLoopError` takes */
export async function plainAnswer(
  model: Model,
  { systemPrompt, text, maximumLength, signal }: PlainQuestion,
): Promise<string> {
  const question = new Message({ role: 'user', content: [new TextBlock(text)] });
  let answer = '';
  for await (const event of model.stream([question], { systemPrompt, cancelSignal: signal })) {
    if (event.type === 'modelContentBlockDeltaEvent' && event.delta.type === 'textDelta')
      answer += event.delta.text;
    if (answer.length > maximumLength) break;
  }
  return answer.slice(0, maximumLength).trim();
}
