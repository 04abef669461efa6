package io.radixflow.job.pipeline;

import io.radixflow.engine.Engine;
import io.radixflow.operators.EngineProvider;
import io.radixflow.testkit.FakeEngine;
import io.radixflow.testkit.FakeTokenizer;
import io.radixflow.text.ChatTemplate;
import io.radixflow.text.TextModel;
import java.util.List;

/** Engines that answer at once with texts that depend on the request alone. */
record FakeEngines(int maxRunningRequests, long stepMicros) implements EngineProvider {

    @Override
    public Engine startEngine(List<Integer> gpus) {
        return FakeEngine.threaded(maxRunningRequests, stepMicros);
    }

    @Override
    public TextModel loadText() {
        return FakeTokenizer.textModel(ChatTemplate.parse("{% for m in messages %}{{ m.content }}{% endfor %}"));
    }
}
