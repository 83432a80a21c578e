package wirewatch.fixture;

import java.io.Reader;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.charfilter.MappingCharFilter;
import org.apache.lucene.analysis.charfilter.NormalizeCharMap;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.pattern.PatternReplaceCharFilter;
import org.apache.lucene.analysis.pattern.PatternReplaceFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.AbstractCharFilterFactory;
import org.elasticsearch.index.analysis.AbstractIndexAnalyzerProvider;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.NormalizingTokenFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.tartarus.snowball.ext.EnglishStemmer;

/**
 * For tests: what Elasticsearch's own module "analysis-common" has and the server of its integration tests lacks, as far
 * as the files in mappings/ name it, under the same names and with the same settings, over the same filters of Lucene's.
 * So the mappings load there unchanged. A plugin of the older kind, because a filter of a "stable" one is refused in a
 * normaliser.
 */
public final class CommonAnalysis extends Plugin implements AnalysisPlugin {

    @Override
    public Map<String, AnalysisProvider<CharFilterFactory>> getCharFilters() {
        return Map.of(
            "mapping", AnalysisPlugin.requiresAnalysisSettings(CommonAnalysis::mapping),
            "pattern_replace", AnalysisPlugin.requiresAnalysisSettings(CommonAnalysis::patternReplaceCharacters));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "asciifolding", (index, environment, name, settings) -> new Folding(name),
            "pattern_replace", AnalysisPlugin.requiresAnalysisSettings(CommonAnalysis::patternReplaceTokens),
            "stemmer", AnalysisPlugin.requiresAnalysisSettings(CommonAnalysis::stemmer));
    }

    @Override
    public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
        Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> analyzers = new TreeMap<>();
        LANGUAGES.forEach((language, maker) -> analyzers.put(language, (index, environment, name, settings) -> new Language(name, maker)));
        return analyzers;
    }

    private static final Map<String, Supplier<Analyzer>> LANGUAGES = Map.ofEntries(
        Map.entry("arabic", org.apache.lucene.analysis.ar.ArabicAnalyzer::new),
        Map.entry("armenian", org.apache.lucene.analysis.hy.ArmenianAnalyzer::new),
        Map.entry("basque", org.apache.lucene.analysis.eu.BasqueAnalyzer::new),
        Map.entry("bengali", org.apache.lucene.analysis.bn.BengaliAnalyzer::new),
        Map.entry("bulgarian", org.apache.lucene.analysis.bg.BulgarianAnalyzer::new),
        Map.entry("catalan", org.apache.lucene.analysis.ca.CatalanAnalyzer::new),
        Map.entry("cjk", org.apache.lucene.analysis.cjk.CJKAnalyzer::new),
        Map.entry("czech", org.apache.lucene.analysis.cz.CzechAnalyzer::new),
        Map.entry("danish", org.apache.lucene.analysis.da.DanishAnalyzer::new),
        Map.entry("dutch", org.apache.lucene.analysis.nl.DutchAnalyzer::new),
        Map.entry("estonian", org.apache.lucene.analysis.et.EstonianAnalyzer::new),
        Map.entry("finnish", org.apache.lucene.analysis.fi.FinnishAnalyzer::new),
        Map.entry("french", org.apache.lucene.analysis.fr.FrenchAnalyzer::new),
        Map.entry("galician", org.apache.lucene.analysis.gl.GalicianAnalyzer::new),
        Map.entry("german", org.apache.lucene.analysis.de.GermanAnalyzer::new),
        Map.entry("greek", org.apache.lucene.analysis.el.GreekAnalyzer::new),
        Map.entry("hindi", org.apache.lucene.analysis.hi.HindiAnalyzer::new),
        Map.entry("hungarian", org.apache.lucene.analysis.hu.HungarianAnalyzer::new),
        Map.entry("indonesian", org.apache.lucene.analysis.id.IndonesianAnalyzer::new),
        Map.entry("irish", org.apache.lucene.analysis.ga.IrishAnalyzer::new),
        Map.entry("italian", org.apache.lucene.analysis.it.ItalianAnalyzer::new),
        Map.entry("latvian", org.apache.lucene.analysis.lv.LatvianAnalyzer::new),
        Map.entry("lithuanian", org.apache.lucene.analysis.lt.LithuanianAnalyzer::new),
        Map.entry("norwegian", org.apache.lucene.analysis.no.NorwegianAnalyzer::new),
        Map.entry("persian", org.apache.lucene.analysis.fa.PersianAnalyzer::new),
        Map.entry("portuguese", org.apache.lucene.analysis.pt.PortugueseAnalyzer::new),
        Map.entry("romanian", org.apache.lucene.analysis.ro.RomanianAnalyzer::new),
        Map.entry("russian", org.apache.lucene.analysis.ru.RussianAnalyzer::new),
        Map.entry("serbian", org.apache.lucene.analysis.sr.SerbianAnalyzer::new),
        Map.entry("sorani", org.apache.lucene.analysis.ckb.SoraniAnalyzer::new),
        Map.entry("spanish", org.apache.lucene.analysis.es.SpanishAnalyzer::new),
        Map.entry("swedish", org.apache.lucene.analysis.sv.SwedishAnalyzer::new),
        Map.entry("thai", org.apache.lucene.analysis.th.ThaiAnalyzer::new),
        Map.entry("turkish", org.apache.lucene.analysis.tr.TurkishAnalyzer::new));

    /** Rules such as "’ => '", with \\uXXXX on either side. */
    private static CharFilterFactory mapping(IndexSettings index, Environment environment, String name, Settings settings) {
        NormalizeCharMap.Builder builder = new NormalizeCharMap.Builder();
        Pattern rule = Pattern.compile("(.*)\\s*=>\\s*(.*)\\s*$");
        for (String line : settings.getAsList("mappings")) {
            Matcher parts = rule.matcher(line);
            if (parts.find() == false) {
                throw new IllegalArgumentException("Invalid Mapping Rule : [" + line + "]");
            }
            builder.add(unescaped(parts.group(1).trim()), unescaped(parts.group(2).trim()));
        }
        NormalizeCharMap map = builder.build();
        return new Characters(name, reader -> new MappingCharFilter(map, reader));
    }

    private static String unescaped(String text) {
        return Pattern.compile("\\\\u([0-9a-fA-F]{4})").matcher(text)
            .replaceAll(match -> Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(match.group(1), 16))));
    }

    private static CharFilterFactory patternReplaceCharacters(
            IndexSettings index, Environment environment, String name, Settings settings) {
        Pattern pattern = Pattern.compile(settings.get("pattern"));
        String replacement = settings.get("replacement", "");
        return new Characters(name, reader -> new PatternReplaceCharFilter(pattern, replacement, reader));
    }

    private static TokenFilterFactory patternReplaceTokens(
            IndexSettings index, Environment environment, String name, Settings settings) {
        Pattern pattern = Pattern.compile(settings.get("pattern"));
        String replacement = settings.get("replacement", "");
        boolean all = settings.getAsBoolean("all", true);
        return new Tokens(name, stream -> new PatternReplaceFilter(stream, pattern, replacement, all));
    }

    private static TokenFilterFactory stemmer(IndexSettings index, Environment environment, String name, Settings settings) {
        return switch (settings.get("language", "porter").toLowerCase(Locale.ROOT)) {
            case "possessive_english" -> new Tokens(name, EnglishPossessiveFilter::new);
            case "porter2" -> new Tokens(name, stream -> new SnowballFilter(stream, new EnglishStemmer()));
            default -> throw new IllegalArgumentException("the fixture has no stemmer for [" + settings.get("language") + "]");
        };
    }

    private static final class Characters extends AbstractCharFilterFactory {
        private final Function<Reader, Reader> filter;

        Characters(String name, Function<Reader, Reader> filter) {
            super(name);
            this.filter = filter;
        }

        @Override
        public Reader create(Reader reader) {
            return filter.apply(reader);
        }
    }

    private static final class Tokens extends AbstractTokenFilterFactory {
        private final Function<TokenStream, TokenStream> filter;

        Tokens(String name, Function<TokenStream, TokenStream> filter) {
            super(name);
            this.filter = filter;
        }

        @Override
        public TokenStream create(TokenStream stream) {
            return filter.apply(stream);
        }
    }

    private static final class Folding extends AbstractTokenFilterFactory implements NormalizingTokenFilterFactory {
        Folding(String name) {
            super(name);
        }

        @Override
        public TokenStream create(TokenStream stream) {
            return new ASCIIFoldingFilter(stream);
        }
    }

    private static final class Language extends AbstractIndexAnalyzerProvider<Analyzer> {
        private final Analyzer analyzer;

        Language(String name, Supplier<Analyzer> maker) {
            super(name);
            this.analyzer = maker.get();
        }

        @Override
        public Analyzer get() {
            return analyzer;
        }
    }
}
