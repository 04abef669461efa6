package io.radixflow.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.radixflow.engine.EngineException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class RopeScalingTest {

    /** A power of fp32 numbers may round up or down, and up to four roundings follow. */
    private static final float TOLERANCE = 5 * 0x1p-23f;

    @Test
    void frequenciesEqualTransformersForEveryKind() throws IOException {
        for (JsonNode golden : golden()) {
            ConfigJson config = ConfigJson.parse(golden.get("config").toString(), "golden");
            String what = golden.get("config").toString();
            int headDim = golden.get("headDim").asInt();
            RopeScaling scaling = RopeJson.scaling(config, config.positive(RopeJson.TRAINED_LEN));
            float[] frequencies = scaling.frequencies(
                    RopeJson.base(config, 0), headDim, golden.get("contextLen").asInt());
            assertThat(frequencies).as(what).hasSize(golden.get("frequencies").size());
            for (int pair = 0; pair < frequencies.length; pair++) {
                double expected = golden.get("frequencies").get(pair).asDouble();
                assertThat(Math.abs(frequencies[pair] - expected))
                        .as(what + ", pair " + pair + ": " + frequencies[pair] + " and " + expected)
                        .isLessThanOrEqualTo(TOLERANCE * expected);
            }
            assertThat((float) scaling.attentionFactor()).as(what).isEqualTo((float)
                    golden.get("attentionFactor").asDouble());
        }
    }

    @Test
    void contextLengthsFollowTheKind() {
        assertLengths("{}", 4096, 4096);
        assertLengths("{'rope_type': 'linear', 'factor': 4.0}", 16_384, 16_384);
        assertLengths("{'rope_type': 'linear', 'factor': 4.0, 'original_max_position_embeddings': 2048}", 8192, 8192);
        assertLengths("{'rope_type': 'dynamic', 'factor': 4.0}", 4096, 16_384);
        assertLengths("{'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 2048}", 8192, 8192);
        assertLengths("{'rope_type': 'yarn', 'factor': 4.0, 'original_max_position_embeddings': 1000}", 4096, 4096);
        assertLengths("{'rope_type': 'yarn', 'original_max_position_embeddings': 1024}", 4096, 4096);
        assertLengths(
                "{'rope_type': 'llama3', 'factor': 8.0, 'low_freq_factor': 1.0, 'high_freq_factor': 4.0,"
                        + "'original_max_position_embeddings': 1024}",
                4096,
                4096);
    }

    private static void assertLengths(String settings, int byDefault, int atMost) {
        RopeScaling scaling = scaling(settings);
        assertThat(scaling.defaultContextLen(4096)).as(settings).isEqualTo(byDefault);
        assertThat(scaling.maxContextLen(4096)).as(settings).isEqualTo(atMost);
    }

    @Test
    void dynamicIsUnscaledUpToTheTrainedLength() {
        float[] plain = new RopeScaling.Default().frequencies(1e4f, 64, 4096);
        RopeScaling dynamic = scaling("{'type': 'dynamic', 'factor': 4.0}");
        assertThat(dynamic.frequencies(1e4f, 64, 100)).containsExactly(plain);
        assertThat(dynamic.frequencies(1e4f, 64, 4096)).containsExactly(plain);
        assertThat(dynamic.frequencies(1e4f, 64, 4097)[31]).isLessThan(plain[31]);
    }

    @Test
    void oldAndNewSpellingMeanTheSame() {
        RopeScaling yarn = scaling("{'type': 'yarn', 'factor': 4, 'original_max_position_embeddings': 1024}");
        assertThat(scaling("{'rope_type': 'yarn', 'factor': 4, 'original_max_position_embeddings': 1024}"))
                .isEqualTo(yarn);
        ConfigJson parameters = ConfigJson.parse(
                "{'rope_parameters': {'rope_type': 'yarn', 'rope_theta': 5e5, 'factor': 4,".replace('\'', '"')
                        + "\"original_max_position_embeddings\": 1024}, \"rope_theta\": 1}",
                "x");
        assertThat(RopeJson.scaling(parameters, 4096)).isEqualTo(yarn);
        assertThat(RopeJson.base(parameters, 7)).isEqualTo(5e5f);
        assertThat(RopeJson.base(ConfigJson.parse("{\"rope_theta\": 9}", "x"), 7))
                .isEqualTo(9);
        assertThat(RopeJson.base(ConfigJson.parse("{\"rope_scaling\": null}", "x"), 7))
                .isEqualTo(7);
    }

    @Test
    void namesTheSettingThatIsWrong() {
        assertRefused("{'rope_type': 'longrope'}", "'longrope', which isn't supported; take one of default, dynamic,");
        assertRefused("{'rope_type': 'linear'}", "config.json lacks rope_scaling.factor");
        assertRefused("{'rope_type': 'linear', 'factor': 0.5}", "factor 0.5, which must be a number of at least 1");
        assertRefused(
                "{'rope_type': 'yarn', 'factor': '4'}", "has \"4\" in rope_scaling.factor where a number belongs");
        assertRefused("{'rope_type': 'yarn', 'factor': 2, 'orignal_len': 3}", "'orignal_len', which isn't known");
        assertRefused("{'rope_type': 'yarn', 'factor': 2, 'beta_fast': 1, 'beta_slow': 2}", "at least beta_slow");
        assertRefused("{'rope_type': 'default', 'partial_rotary_factor': 0.5}", "only full rotation is supported");
        assertRefused(
                "{'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 4, 'high_freq_factor': 4}",
                "above low_freq_factor");
    }

    private static void assertRefused(String settings, String why) {
        assertThatThrownBy(() -> scaling(settings))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining(why)
                .hasMessageStartingWith("config.json ");
    }

    private static RopeScaling scaling(String settings) {
        String json = ("{'rope_scaling': " + settings + "}").replace('\'', '"');
        return RopeJson.scaling(ConfigJson.parse(json, "config.json"), 4096);
    }

    private static JsonNode golden() throws IOException {
        String name = "/golden/tiny-decoders/frequencies.json";
        try (InputStream in = Objects.requireNonNull(RopeScalingTest.class.getResourceAsStream(name), name)) {
            return new ObjectMapper().readTree(in);
        }
    }
}
