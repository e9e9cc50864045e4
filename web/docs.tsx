import { render } from 'preact';
import { startSwagger } from './lib/swagger.ts';
import { LivePanel } from './parts/live-panel.tsx';
import { Live } from './state/live.ts';
import './style.css';
import './docs.css';

const live = new Live();
live.start();
const place = document.querySelector('#live');
if (place !== null) render(<LivePanel live={live} />, place);
void startSwagger(live);
