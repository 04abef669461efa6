package io.radixflow.job.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.radixflow.job.UserException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Flink's REST API: the few calls that we make. */
public final class FlinkRest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String BOUNDARY = "radixflow-jar-boundary";

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String address;

    /** @param address such as {@code http://127.0.0.1:8081} */
    public FlinkRest(String address) {
        this.address = address;
    }

    /** Asked for something that is not there, or refused. */
    public static final class RefusedException extends IOException {

        private static final long serialVersionUID = 1L;

        private final int status;

        RefusedException(int status, String message) {
            super(message);
            this.status = status;
        }

        public int status() {
            return status;
        }
    }

    public JsonNode get(String path) throws IOException, InterruptedException {
        return send(request(path).GET());
    }

    /** Uploads a job's jar. @return the id to run it by */
    public String upload(Path jar) throws IOException, InterruptedException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.write(("--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\""
                        + jar.getFileName() + "\"\r\nContent-Type: application/java-archive\r\n\r\n")
                .getBytes(UTF_8));
        Files.copy(jar, body);
        body.write(("\r\n--" + BOUNDARY + "--\r\n").getBytes(UTF_8));
        JsonNode answer = send(request("/jars/upload")
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(BodyPublishers.ofByteArray(body.toByteArray())));
        String file = answer.path("filename").asText();
        return file.substring(file.lastIndexOf('/') + 1);
    }

    /**
     * Runs an uploaded jar's main class.
     *
     * @param savepoint to start from, or null
     * @return the job's id
     */
    public String run(String jarId, List<String> arguments, @Nullable String savepoint, boolean allowsNonRestored)
            throws IOException, InterruptedException {
        ObjectNode body = JSON.createObjectNode();
        arguments.forEach(body.putArray("programArgsList")::add);
        if (savepoint != null) {
            body.put("savepointPath", savepoint).put("allowNonRestoredState", allowsNonRestored);
        }
        return post("/jars/" + URLEncoder.encode(jarId, UTF_8) + "/run", body)
                .path("jobid")
                .asText();
    }

    public void deleteJar(String jarId) throws IOException, InterruptedException {
        send(request("/jars/" + URLEncoder.encode(jarId, UTF_8)).DELETE());
    }

    /** Asks the job to end at once, without a savepoint. */
    public void cancel(String jobId) throws IOException, InterruptedException {
        send(request("/jobs/" + jobId + "?mode=cancel").method("PATCH", BodyPublishers.noBody()));
    }

    /**
     * Stops a job with a savepoint and waits for it.
     *
     * @param directory of savepoints
     * @param isDraining whether what is in flight is finished first; else it is in the savepoint and goes on from there
     * @return the savepoint's address
     */
    public String stop(String jobId, String directory, boolean isDraining, Duration longest)
            throws IOException, InterruptedException {
        ObjectNode body =
                JSON.createObjectNode().put("targetDirectory", directory).put("drain", isDraining);
        String trigger =
                post("/jobs/" + jobId + "/stop", body).path("request-id").asText();
        long deadline = System.nanoTime() + longest.toNanos();
        while (System.nanoTime() < deadline) {
            JsonNode answer = get("/jobs/" + jobId + "/savepoints/" + trigger);
            if (answer.path("status").path("id").asText().equals("COMPLETED")) {
                JsonNode operation = answer.path("operation");
                if (operation.has("location")) {
                    return operation.path("location").asText();
                }
                throw new RefusedException(
                        500,
                        "no savepoint: "
                                + lastCause(operation
                                        .path("failure-cause")
                                        .path("stack-trace")
                                        .asText(operation.toString())));
            }
            Thread.sleep(100);
        }
        throw new IOException("no savepoint within " + longest.toSeconds() + " s; the job may still be making it");
    }

    private JsonNode post(String path, JsonNode body) throws IOException, InterruptedException {
        return send(request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body.toString())));
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(address + path)).timeout(Duration.ofSeconds(60));
    }

    private JsonNode send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response;
        try {
            response = http.send(request.build(), BodyHandlers.ofString());
        } catch (ConnectException | HttpTimeoutException e) {
            throw new IOException("no JobManager answers at " + address, e);
        }
        if (response.statusCode() >= 300) {
            throw new RefusedException(response.statusCode(), reason(response.body()));
        }
        return JSON.readTree(response.body());
    }

    private static String reason(String body) {
        try {
            JsonNode errors = JSON.readTree(body).path("errors");
            return errors.isEmpty()
                    ? body
                    : lastCause(errors.get(errors.size() - 1).asText());
        } catch (IOException e) {
            return body;
        }
    }

    /** The innermost message of a stack trace; a message that is meant for users wherever there is one. */
    static String lastCause(String stackTrace) {
        String last = "";
        for (String line : stackTrace.lines().toList()) {
            boolean isCause = line.startsWith("Caused by: ");
            if ((isCause || last.isEmpty()) && !line.isBlank() && !line.startsWith("\tat ")) {
                last = isCause ? line.substring("Caused by: ".length()) : line;
                String prefix = UserException.class.getName() + ": ";
                if (last.startsWith(prefix)) {
                    return last.substring(prefix.length());
                }
            }
        }
        return last;
    }
}
