%% An MME on Erlang/OTP's diameter: connects to an EIR, asks, waits for the watchdog and asks again (unless WAIT_MS is 0), says goodbye.
%% Usage: erl -noshell -pa . -run mme main PORT WAIT_MS IMEI...
%% Prints one line an answer; a message that OTP's codec finds faulty is printed as an error.
-module(mme).
-export([main/1]).
-export([peer_up/3, peer_down/3, pick_peer/4, prepare_request/3, prepare_retransmit/3,
         handle_answer/4, handle_error/4, handle_request/3]).

-define(REALM, "epc.mnc001.mcc001.3gppnetwork.org").

main([Port, Wait | Imeis]) ->
    ok = diameter:start(),
    ok = diameter:start_service(?MODULE,
        [{'Origin-Host', "otp." ?REALM}, {'Origin-Realm', ?REALM}, {'Vendor-Id', 10415},
         {'Product-Name', "OTP"}, {'Supported-Vendor-Id', [10415]},
         {'Vendor-Specific-Application-Id',
          [[{'Vendor-Id', 10415}, {'Auth-Application-Id', [16777252]}]]},
         {decode_format, map}, {string_decode, false}, {strict_mbit, true},
         {application, [{alias, s13}, {dictionary, s13}, {module, ?MODULE}, {answer_errors, callback}]}]),
    diameter:subscribe(?MODULE),
    {ok, Ref} = diameter:add_transport(?MODULE, {connect,
        [{transport_module, diameter_tcp}, {watchdog_timer, 6000},
         {transport_config, [{raddr, {127,0,0,1}}, {rport, list_to_integer(Port)}, {nodelay, true}]}]}),
    receive {diameter_event, ?MODULE, {up, _, _, _, _}} -> io:format("up~n") after 20000 -> halt(1) end,
    [ask(I) || I <- Imeis],
    case list_to_integer(Wait) of
        0 -> ok;
        Ms -> timer:sleep(Ms), flush(), [ask(I) || I <- Imeis]
    end,
    ok = diameter:remove_transport(?MODULE, Ref),
    receive {diameter_event, ?MODULE, {down, _, _, _}} -> io:format("down~n") after 10000 -> io:format("no down~n") end,
    halt(0).

flush() ->
    receive {diameter_event, ?MODULE, Event} -> io:format("event ~p~n", [element(1, Event)]), flush() after 0 -> ok end.

ask(Imei) ->
    Sid = diameter:session_id("otp." ?REALM),
    Ecr = ['ECR', {'Session-Id', Sid}, {'Auth-Session-State', 1},
           {'Origin-Host', "otp." ?REALM}, {'Origin-Realm', ?REALM}, {'Destination-Realm', ?REALM},
           {'Terminal-Information', [{'IMEI', [Imei]}, {'Software-Version', ["05"]}]},
           {'User-Name', ["001010000000001"]}],
    case diameter:call(?MODULE, s13, Ecr, [{timeout, 5000}]) of
        {answer, Map} -> io:format("~s ~p ~p~n", [Imei, maps:get('Equipment-Status', Map, none), result(Map)]);
        Other -> io:format("~s error ~p~n", [Imei, Other])
    end.

result(#{'Experimental-Result' := R}) when is_map(R) -> maps:get('Experimental-Result-Code', R);
result(#{'Experimental-Result' := [R]}) -> maps:get('Experimental-Result-Code', R);
result(#{'Result-Code' := [C]}) -> C;
result(#{'Result-Code' := C}) -> C.

peer_up(_, _, S) -> S.
peer_down(_, _, S) -> S.
pick_peer([Peer | _], _, _, _) -> {ok, Peer}.
prepare_request(Packet, _, _) -> {send, Packet}.
prepare_retransmit(Packet, _, _) -> {send, Packet}.
%% diameter_packet: {diameter_packet, header, avps, msg, bin, errors, transport_data}
handle_answer(Packet, _, _, _) ->
    case {element(4, Packet), element(6, Packet)} of
        {['ECA' | Map], []} -> {answer, Map};
        {Msg, Errors} -> {faulty, Msg, Errors}
    end.
handle_error(Reason, _, _, _) -> {error, Reason}.
handle_request(_, _, _) -> discard.
