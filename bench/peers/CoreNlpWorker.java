import edu.stanford.nlp.pipeline.Annotation;
import edu.stanford.nlp.pipeline.JSONOutputter;
import edu.stanford.nlp.pipeline.StanfordCoreNLP;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Properties;

/** CoreNLP behind the lines that bench/peers/worker.py speaks. Arguments: annotators for claims, for entities, then key=value. */
public class CoreNlpWorker {
  public static void main(String[] args) throws Exception {
    PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    // The annotators of the second are those of the first: CoreNLP loads equal ones once.
    Map<String, StanfordCoreNLP> pipelines = Map.of("claims", pipeline(args[0], args), "entities", pipeline(args[1], args));
    answers.println("{\"ready\": true}");
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      String[] parts = line.split(" ", 2);
      String text = new String(Base64.getDecoder().decode(parts[1]), StandardCharsets.UTF_8);
      String answer;
      try {
        Annotation annotation = new Annotation(text);
        pipelines.get(parts[0]).annotate(annotation);
        answer = new JSONOutputter().print(annotation, pipelines.get(parts[0])).replace("\n", "").replace("\r", "");
      } catch (RuntimeException | OutOfMemoryError error) {
        System.err.println(error);
        answer = "{\"error\": \"" + error.getClass().getName() + "\"}";
      }
      answers.println(answer);
    }
  }

  private static StanfordCoreNLP pipeline(String annotators, String[] args) {
    Properties properties = new Properties();
    properties.setProperty("annotators", annotators);
    properties.setProperty("threads", "1");
    for (int i = 2; i < args.length; i++) {
      String[] pair = args[i].split("=", 2);
      properties.setProperty(pair[0], pair[1]);
    }
    return new StanfordCoreNLP(properties);
  }
}
