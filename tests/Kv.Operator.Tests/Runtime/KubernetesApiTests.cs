using System.Net;
using System.Text;
using k8s;
using k8s.Authentication;
using Kv.Operator.Runtime;
using Xunit;

namespace Kv.Operator.Tests.Runtime;

/// <summary>Whatever comes from the wire or the credentials, callers meet the errors that <see cref="IKubernetesApi"/> names and no others.</summary>
public sealed class KubernetesApiTests : IDisposable
{
    private readonly OperatorMetrics metrics = new();
    private readonly Answers answers = new();

    /// <summary>A line of a watch, and what is said of it.</summary>
    public static TheoryData<string, string> BadEvents => new()
    {
        { "{", "a watch sent something that is no event" },
        { "[]", "a watch sent something that is no event" },
        { "null", "a watch sent something that is no event" },
        { """{"type":"ADDED"}""", "a watch sent an event without its object" },
        { """{"type":"ADDED","object":7}""", "a watch sent an event without its object" },
        { """{"type":"MOVED","object":{}}""", "a watch sent an event of the unknown type MOVED" },
        { """{"type":"ERROR","object":{"code":"many"}}""", "a watch ended with an error" },
        { """{"type":"ERROR","object":{"code":{"a":1},"message":"no"}}""", "no" },
        { """{"type":"ERROR","object":{"code":99999999999}}""", "a watch ended with an error" },
    };

    [Theory]
    [MemberData(nameof(BadEvents))]
    public async Task Event_ThatMakesNoSense_IsAnAnswerThatIsAnError(string line, string said)
    {
        answers.Text = line + "\n";
        var error = await Assert.ThrowsAsync<KubernetesApiException>(async () =>
        {
            await foreach (var change in Api(null).WatchAsync(ResourceKind.Cluster, null, null, "1", TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken))
            {
                Assert.Fail($"{change} was made of it");
            }
        });
        Assert.Equal(said, error.Message);
        Assert.False(error.IsExpired);
    }

    [Fact]
    public async Task Event_OfAVersionThatIsTooOld_SaysSo()
    {
        answers.Text = """{"type":"ERROR","object":{"code":410,"message":"too old"}}""";
        var watch = Api(null).WatchAsync(ResourceKind.Cluster, null, null, "1", TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        Assert.True((await Assert.ThrowsAsync<KubernetesApiException>(async () => await watch.GetAsyncEnumerator(TestContext.Current.CancellationToken).MoveNextAsync())).IsExpired);
    }

    [Theory]
    [InlineData("<html>a proxy's page</html>")]
    [InlineData("")]
    [InlineData("[]")]
    public async Task Answer_ThatIsNoObject_IsAnError(string text)
    {
        answers.Text = text;
        await Assert.ThrowsAsync<KubernetesApiException>(() => Api(null).GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken));
    }

    /// <summary>A token's file that is just being replaced; the next request may find it.</summary>
    [Fact]
    public async Task Credentials_ThatCannotBeRead_AreAnAnswerThatDidNotCome()
    {
        var error = await Assert.ThrowsAsync<HttpRequestException>(() =>
            Api(new NoToken()).GetAsync(ResourceKind.Lease, "ns", "lease", TestContext.Current.CancellationToken));
        Assert.Contains("access to the token is denied", error.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        answers.Dispose();
        metrics.Dispose();
    }

    private KubernetesApi Api(ITokenProvider? tokens) =>
        new(new Kubernetes(new KubernetesClientConfiguration { Host = "http://api.invalid", TokenProvider = tokens }, answers), metrics);

    private sealed class NoToken : ITokenProvider
    {
        public Task<System.Net.Http.Headers.AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken) =>
            throw new UnauthorizedAccessException("access to the token is denied");
    }

    /// <summary>Answers everything with one text, and sends nothing.</summary>
    private sealed class Answers : DelegatingHandler
    {
        public string Text { get; set; } = "{}";

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(Text, Encoding.UTF8, "application/json") });
    }
}
